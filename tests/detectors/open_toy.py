"""An open-vocabulary detector: its classes are a prompt, and its weights know of none."""

from collections.abc import Sequence
from zlib import crc32

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from zoo.contract import Batch, ClassLayer, Target
from zoo.labels import LabelSpace
from zoo.testing import Toy

WIDTH = 4  # of an embedding


class OpenToy(Toy):
    """A toy that compares each cell with an embedding of each class name."""

    def __init__(self, label_space: LabelSpace) -> None:
        super().__init__(label_space)
        self.kind = nn.Conv2d(3, WIDTH, 1)

    def forward(self, batch: Batch, targets: Sequence[Target] | None = None) -> Tensor:  # noqa: ARG002
        maps = self.drop(F.avg_pool2d(self.norm(batch.pixels), 8))
        logits = torch.einsum("bdhw,nd->bnhw", self.kind(maps), self.prompt().to(maps))
        return torch.cat([self.size(maps), self.gain * logits], 1)  # (b, 4 + n, 4, 4)

    def prompt(self) -> Tensor:
        """The embedding of each class, which follows from its name alone: `(n, WIDTH)`."""
        generators = [
            torch.Generator().manual_seed(crc32(name.encode())) for name in self.label_space.names
        ]
        return torch.stack([torch.randn(WIDTH, generator=one) for one in generators])

    def class_layers(self) -> list[ClassLayer]:
        return []


def build(*, label_space: LabelSpace) -> OpenToy:
    return OpenToy(label_space)
