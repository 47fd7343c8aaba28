"""`python -m zoo.leaderboard` is the same as the command `zoo leaderboard`."""

import sys

from zoo.cli import main

if __name__ == "__main__":
    sys.argv.insert(1, "leaderboard")
    main()
