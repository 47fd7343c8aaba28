"""Checks that an image gives the same detections in every form, and each time."""

from __future__ import annotations

import io
import tempfile
from pathlib import Path

import PIL.Image
import torch

from zoo.detections import Detections
from zoo.detectors.detector import Detector
from zoo.files import write_file
from zoo.images import Source
from zoo.testing.conformance.compare import agree, difference
from zoo.testing.conformance.errors import require
from zoo.testing.conformance.images import detect, scene

WHITE = 255


def check_every_form_gives_the_same(detector: Detector) -> None:
    """An image gives identical boxes as a path, bytes, PIL image, array or tensor of any memory
    layout."""
    tensor = scene()
    array = tensor.permute(1, 2, 0).contiguous().numpy()  # (h, w, 3)
    image = PIL.Image.fromarray(array)
    file = io.BytesIO()
    image.save(file, "PNG")
    expected = detect(detector, tensor)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "scene.png"
        write_file(path, file.getvalue(), durable=False)
        forms: dict[str, Source] = {
            "path": path,
            "bytes": file.getvalue(),
            "PIL image": image,
            "array": array,
            "tensor of another layout": torch.from_numpy(array).permute(2, 0, 1),
        }
        for name, form in forms.items():
            detections = detector.detect(form, score=0.0, max_boxes=50)
            assert isinstance(detections, Detections)
            same = detections.equals(expected)
            require(same, f"As {name} the image gives {difference(detections, expected)}.")


def check_gray_is_no_special_case(detector: Detector) -> None:
    """A gray image has the same detections as with one pixel in color; tolerance as for
    `check_neighbours_change_nothing`."""
    gray = scene()[:1].expand(3, -1, -1).contiguous()
    nearly = gray.clone()
    nearly[0, 0, 0] += 1 if nearly[0, 0, 0] < WHITE else -1
    of_gray, of_nearly = detect(detector, gray), detect(detector, nearly)
    require(
        agree(of_gray, of_nearly),
        f"A gray image, and the same with one pixel in color, give "
        f"{difference(of_gray, of_nearly)}.",
    )


def check_deterministic(detector: Detector) -> None:
    """The same image gives exactly the same boxes again, whatever the state of the random number
    generator."""
    torch.manual_seed(1)
    first = detect(detector, scene())
    torch.manual_seed(2)
    again = detect(detector, scene())
    require(first.equals(again), f"Two runs on one image give {difference(first, again)}.")


def check_images_untouched(detector: Detector) -> None:
    """The caller's tensor is not changed."""
    tensor = scene()
    detect(detector, tensor)
    require(torch.equal(tensor, scene()), "Detecting changed the image that it was given.")
