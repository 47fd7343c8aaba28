"""The commands of `zoo`, one file each; `zoo.cli.app` imports only the one that is run."""
