"""`python -m bench.faults`."""

from bench.faults.command import main

if __name__ == "__main__":
    main()
