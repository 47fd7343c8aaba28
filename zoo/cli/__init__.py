"""The command line `zoo`, one file per command; importing it imports no model library."""

import sys


def main() -> None:
    """Run the command line of this process and exit; also handles an interrupt during imports."""
    try:
        from zoo.cli import interrupt, standard_streams
        from zoo.cli.app import main as run
    except KeyboardInterrupt:
        sys.stderr.write("Interrupted.\n")
        sys.exit(130)
    standard_streams.open_what_is_closed()
    try:
        with interrupt.forced_exit():
            run()
    except (KeyboardInterrupt, SystemExit) as error:
        if interrupt.is_interrupt(error):
            interrupt.leave(error)
        raise
