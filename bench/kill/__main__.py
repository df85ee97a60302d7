"""`python -m bench.kill`."""

from bench.kill.command import main

if __name__ == "__main__":
    main()
