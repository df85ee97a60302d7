"""The decision core: condition, estimate, gate, schedule. Pure, compiled, no clock."""
