"""The recorder: from the loop's rings to the disk, in a process of its own."""
