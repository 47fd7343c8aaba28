"""A training that writes no checkpoint, for benchmarks that time its steps."""

from zoo.train.training import Training


class Unsaved(Training):
    """A training whose process is not the one that writes files."""

    @property
    def is_main(self) -> bool:
        return False
