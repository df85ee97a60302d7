"""`python -m bench.accuracy`."""

from bench.accuracy.command import main

if __name__ == "__main__":
    main()
