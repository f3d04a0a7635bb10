"""`python -m hardwear`: the command line."""

from hardwear.cli import main

if __name__ == "__main__":
    main()
