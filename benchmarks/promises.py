"""What the docs promise beside a peer, in one place: `make bench-quick` measures each, and no other
factor is quoted.

Every promise is a ratio of medians of one interleaved run. `least` is how many times as fast, at
least, the zoo is; `most` is how much, at most, it takes of what the peer takes.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Promise:
    """What is promised, beside whom, and by how much. needs: the distributions that have to be
    installed for it."""

    what: str
    peer: str
    least: float | None = None
    most: float | None = None
    needs: tuple[str, ...] = ()

    def __str__(self) -> str:
        return (
            f"at least {self.least:g} times as fast"
            if self.least is not None
            else f"at most {self.most:g} of it"
        )

    def kept(self, ratio: float) -> bool:
        """Whether it holds. ratio: the peer's seconds by ours where `least` is given, else ours by
        the peer's."""
        return ratio >= self.least if self.least is not None else ratio <= (self.most or 0)


_EVALUATORS = ("hotcoco", "ultrafast-pycocotools")
_FASTER = "the faster of hotcoco and ultrafast-pycocotools"
_LEANER = "the leaner of hotcoco and ultrafast-pycocotools"

PROMISES: dict[str, Promise] = {
    "import": Promise("import zoo", "import torch", least=10),
    "list": Promise(
        "zoo list, zoo show", "list_models() of torchvision or timm, the faster", least=10
    ),
    "list-many": Promise("zoo list, zoo show with 10,000 cards", "the same without", most=1.5),
    "load": Promise("zoo.load, warm cache", "torchvision's builder + load_state_dict", least=5),
    "detect": Promise("detect(tensors)", "preprocess, network and decode by hand", most=1.05),
    "files": Promise(
        "files to the twelve numbers, whole process", _FASTER, least=1, needs=_EVALUATORS
    ),
    "files-imported": Promise(
        "files to the twelve numbers, once imported", _FASTER, least=1.5, needs=_EVALUATORS
    ),
    "files-memory": Promise(
        "files to the twelve numbers, memory", _LEANER, most=1, needs=_EVALUATORS
    ),
    "parquet": Promise("predictions from Parquet", "the same as JSON", least=1, needs=("pyarrow",)),
    "report": Promise("zoo evaluate with 1,000 resamples", "2.5 seconds", most=1),
    "tensors": Promise("tensors to the twelve numbers alone", _FASTER, least=5, needs=_EVALUATORS),
    "train": Promise("a training step", "the same by hand", most=1.03, needs=("accelerate",)),
    "tensors-memory": Promise(
        "tensors to the twelve numbers alone, memory", _LEANER, most=0.5, needs=_EVALUATORS
    ),
}
