"""`batch_size: auto`: finds by trial steps how many images fit into memory at once."""

from __future__ import annotations

import contextlib
import copy
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import torch
from torch.autograd.graph import saved_tensors_hooks

from zoo.contract.predictor import is_out_of_memory
from zoo.detectors import Detector
from zoo.train.objective import Objective
from zoo.train.optimizer import optimizer_of, train_mode
from zoo.train.recipe import Recipe
from zoo.train.samples import MicroBatch, MicroBatchSpan, Samples

if TYPE_CHECKING:  # an extra
    from accelerate import Accelerator

# The share of free memory that a step may take on a CPU, where too large a step isn't refused: it
# swaps, or the process is killed.
CPU_SHARE = 0.5
# Peak memory of a step, relative to what is saved for its backward pass: 1.1 to 1.4 was measured.
PEAK_FACTOR = 1.5
# One image more is tried per this number, as later images may have more objects.
IMAGES_PER_SPARE = 8


@dataclass(frozen=True)
class Trial:
    """Tries steps with copies of a detector, on the images and the device of a run."""

    recipe: Recipe
    detector: Detector
    samples: Samples
    accelerator: Accelerator

    def most_at_once(self) -> int:
        """The most images that fit at once, at most those of a process in a step."""
        most: int = -(-self.recipe.batch_size // self.accelerator.num_processes)
        if self.accelerator.device.type == "cpu":
            fits = int(CPU_SHARE * free_memory() / (PEAK_FACTOR * self.saved_bytes_per_image()))
            most = max(1, min(most, fits))
        while most > 1 and not self.fits(most + most // IMAGES_PER_SPARE):
            most = -(-most // 2)
        return most

    def fits(self, images: int) -> bool:
        """Whether a step of that many images fits into memory."""
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
            detector = losses = None  # type: ignore[assignment]  # frees their memory
            if self.accelerator.device.type == "cuda":
                torch.cuda.empty_cache()
        return True

    def saved_bytes_per_image(self) -> float:
        """Bytes that the forward pass of an image saves for the backward pass."""
        images = min(2, self.recipe.batch_size)  # two, as a batch norm needs several values
        detector = self._copy()
        saved: dict[int, int] = {}  # bytes by address

        def record(tensor: torch.Tensor) -> torch.Tensor:
            storage = tensor.untyped_storage()
            saved[storage.data_ptr()] = storage.nbytes()
            return tensor

        with saved_tensors_hooks(record, lambda tensor: tensor):
            self._losses(detector, images)
        for parameter in detector.parameters():
            saved.pop(parameter.untyped_storage().data_ptr(), None)
        return max(1, sum(saved.values())) / images

    def _copy(self) -> Detector:
        detector = copy.deepcopy(self.detector).to(self.accelerator.device)
        train_mode(detector, self.recipe)
        return detector

    def _losses(self, detector: Detector, images: int) -> dict[str, torch.Tensor]:
        """The losses of the first images, at the recipe's largest size."""
        size, scale = self.samples.preprocess.size, self.recipe.multi_scale
        if scale is not None:
            height, width = (round(side * max(scale.factors) / scale.multiple) for side in size)
            size = (height * scale.multiple, width * scale.multiple)
        preprocess = self.samples.preprocess.at(size)
        loaded = [self.samples[number % len(self.samples)] for number in range(images)]
        pixels, targets = zip(*loaded, strict=True)
        span = MicroBatchSpan(0, range(images), 1.0)
        micro_batch = MicroBatch(span, preprocess(pixels), targets)
        micro_batch = micro_batch.to(
            self.accelerator.device, channels_last=self.recipe.channels_last
        )
        torch.manual_seed(self.recipe.seed)
        objective = Objective(detector)
        with self.accelerator.autocast():
            losses: dict[str, torch.Tensor] = objective(micro_batch.batch, micro_batch.targets)
        return losses


def fit_batch(
    recipe: Recipe, detector: Detector, samples: Samples, accelerator: Accelerator
) -> tuple[Recipe, int]:
    """The recipe with micro-batches that fit into the memory of every process, and how many images
    fit at once."""
    most = Trial(recipe, detector, samples, accelerator).most_at_once()
    if accelerator.num_processes > 1:
        sizes: list[int] = [0] * accelerator.num_processes
        torch.distributed.all_gather_object(sizes, most)
        most = min(sizes)
    share = -(-recipe.batch_size // accelerator.num_processes)
    parts = min(-(-share // most), max(1, recipe.batch_size // accelerator.num_processes))
    return msgspec.structs.replace(recipe, accumulate=parts), most


def free_memory() -> float:
    """Bytes that this process can allocate: those free in the machine, or in its container."""
    import psutil  # deferred: an extra

    free = float(psutil.virtual_memory().available)
    with contextlib.suppress(OSError, ValueError):  # "max" without a limit
        limit, used = (
            int(Path(f"/sys/fs/cgroup/memory.{name}").read_text()) for name in ("max", "current")
        )
        free = min(free, max(0, limit - used))
    return free
