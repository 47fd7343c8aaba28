"""Rendered scenes of paper shapes as a data set without files, and small detectors trained on them;
importing it imports neither torch nor numpy."""

from zoo import hookimpl
from zoo.registry.hookspecs import RegisterDataset


@hookimpl
def register_datasets(register: RegisterDataset) -> None:
    """`shapes:train`, `shapes:val` and `shapes:test`; `shapes:all` is all three, as splits."""
    register("shapes", "detzoo_shapes.dataset:read", options="detzoo_shapes.options:ShapesOptions")
