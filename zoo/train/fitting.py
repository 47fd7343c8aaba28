"""`batch_size: auto`: how many images fit into memory at once, found by trying a step of them."""

from __future__ import annotations

import contextlib
import copy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import torch
from torch.autograd.graph import saved_tensors_hooks

from zoo.contract.predictor import is_out_of_memory
from zoo.detectors import Detector
from zoo.train.objective import Objective
from zoo.train.optimizer import optimizer_of, train_mode
from zoo.train.recipe import Recipe
from zoo.train.samples import Part, Samples, Share

CPU_SHARE = 0.5  # of the memory that is free, which a step may take; nothing fails there in time
TEMPORARY = 1.5  # memory of a step, in that of what its backward pass keeps: 1.1 to 1.4 measured
SPARE = 8  # of that many images, one more is tried: others have more objects


@dataclass(frozen=True)
class Trial:
    """Steps of copies of a detector, on the images and the device of a run."""

    recipe: Recipe
    detector: Detector
    samples: Samples
    accelerator: Any

    def most_at_once(self) -> int:
        """The most images that fit at once, at most the share of a process."""
        most: int = -(-self.recipe.batch_size // self.accelerator.num_processes)
        if self.accelerator.device.type == "cpu":
            fits = int(CPU_SHARE * free_memory() / (TEMPORARY * self.kept_bytes()))
            most = max(1, min(most, fits))
        while most > 1 and not self.fits(most + most // SPARE):
            most = -(-most // 2)
        return most

    def fits(self, images: int) -> bool:
        """Whether a step of that many images finds the memory that it needs."""
        try:
            detector = self._copy()
            losses = self._losses(detector, images)
            torch.stack(list(losses.values())).sum().backward()  # type: ignore[no-untyped-call]
            optimizer_of(detector, self.recipe).step()
        except Exception as error:
            if not is_out_of_memory(error):
                raise
            return False
        finally:
            detector = losses = None  # type: ignore[assignment]  # the memory is free again
            if self.accelerator.device.type == "cuda":
                torch.cuda.empty_cache()
        return True

    def kept_bytes(self) -> float:
        """Memory that an image takes from the forward pass to the backward one."""
        images = min(2, self.recipe.batch_size)  # two, as a batch norm needs several values
        detector = self._copy()
        kept: dict[int, int] = {}

        def keep(tensor: torch.Tensor) -> torch.Tensor:
            storage = tensor.untyped_storage()
            kept[storage.data_ptr()] = storage.nbytes()
            return tensor

        with saved_tensors_hooks(keep, lambda tensor: tensor):
            self._losses(detector, images)
        for parameter in detector.parameters():
            kept.pop(parameter.untyped_storage().data_ptr(), None)
        return max(1, sum(kept.values())) / images

    def _copy(self) -> Detector:
        detector = copy.deepcopy(self.detector).to(self.accelerator.device)
        train_mode(detector, self.recipe)
        return detector

    def _losses(self, detector: Detector, images: int) -> dict[str, torch.Tensor]:
        """Those of the first images, at the largest size that the recipe has."""
        size, scale = self.samples.preprocess.size, self.recipe.multi_scale
        if scale is not None:
            height, width = (round(side * max(scale.factors) / scale.multiple) for side in size)
            size = (height * scale.multiple, width * scale.multiple)
        preprocess = self.samples.preprocess.at(size)
        loaded = [self.samples[place % len(self.samples)] for place in range(images)]
        pixels, targets = zip(*loaded, strict=True)
        share = Share(Part(0, range(images), 1.0), preprocess(pixels), targets)
        share = share.to(self.accelerator.device, channels_last=self.recipe.channels_last)
        torch.manual_seed(self.recipe.seed)
        with self.accelerator.autocast():
            losses: dict[str, torch.Tensor] = Objective(detector)(share.batch, share.targets)
        return losses


def fitted(
    recipe: Recipe, detector: Detector, samples: Samples, accelerator: Any
) -> tuple[Recipe, int]:
    """The recipe in parts that fit, the same for every process, and how many images a part has."""
    most = Trial(recipe, detector, samples, accelerator).most_at_once()
    if accelerator.num_processes > 1:
        sizes: list[int] = [0] * accelerator.num_processes
        torch.distributed.all_gather_object(sizes, most)
        most = min(sizes)
    share = -(-recipe.batch_size // accelerator.num_processes)
    parts = min(-(-share // most), max(1, recipe.batch_size // accelerator.num_processes))
    return msgspec.structs.replace(recipe, accumulate=parts), most


def free_memory() -> float:
    """Bytes that this process can have: of the machine, or of the container that it is in."""
    import psutil  # deferred: an extra

    free = float(psutil.virtual_memory().available)
    with contextlib.suppress(OSError, ValueError):  # where there is no limit, it is "max"
        limit, used = (
            int(Path(f"/sys/fs/cgroup/memory.{name}").read_text()) for name in ("max", "current")
        )
        free = min(free, max(0, limit - used))
    return free
