"""`python -m bench.fuzz`."""

from bench.fuzz.command import main

if __name__ == "__main__":
    main()
