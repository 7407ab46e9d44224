"""`python -m filmroom`."""

from filmroom.cli import main

if __name__ == "__main__":
    main()
