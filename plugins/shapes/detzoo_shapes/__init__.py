"""Rendered scenes of paper shapes as a data set without files, and small detectors trained on them;
importing it imports neither torch nor numpy."""

from pathlib import Path

from zoo import hookimpl
from zoo.registry.hookspecs import RegisterCards, RegisterDataset


@hookimpl
def register_cards(register: RegisterCards) -> None:
    """Detectors whose weights travel with the plugin."""
    register(Path(__file__).parent / "cards.yaml")


@hookimpl
def register_datasets(register: RegisterDataset) -> None:
    """`shapes:train`, `shapes:val` and `shapes:test`; `shapes:all` is all three, as splits."""
    register("shapes", "detzoo_shapes.dataset:read", options="detzoo_shapes.options:ShapesOptions")
