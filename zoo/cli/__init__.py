"""The command line: `zoo`, made of one file a command; importing it imports no model library."""

from zoo.cli.app import main as main
