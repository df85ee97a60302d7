"""What `phasegate doctor` looks at, one subject per file."""
