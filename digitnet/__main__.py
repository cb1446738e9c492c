"""`python -m digitnet`."""

from digitnet.cli import main

if __name__ == "__main__":
    main()
