"""The loop: pull, core, wait, fire. One compiled function, live and virtual."""
