"""`python -m scheduler` is the command `chungtay`."""

from scheduler.cli import main

if __name__ == "__main__":
    main()
