"""From configuration and design to the arrays that the loop runs on."""
