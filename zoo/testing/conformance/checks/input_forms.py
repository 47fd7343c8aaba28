"""Checks that an image gives the same detections in every form, and again."""

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
from zoo.testing.conformance.compare import agree, shown
from zoo.testing.conformance.errors import require
from zoo.testing.conformance.images import detect, scene

WHITE = 255


def check_every_form_gives_the_same(detector: Detector) -> None:
    """As a path, bytes, PIL image, array or tensor, whatever its layout in memory, an image gives
    identical boxes."""
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
            require(same, f"As {name} the image gives {shown(detections, expected)}.")


def check_gray_is_no_special_case(detector: Detector) -> None:
    """A gray image, whose channels are equal, is answered as one in which a single pixel is not;
    tolerance as for neighbours."""
    gray = scene()[:1].expand(3, -1, -1).contiguous()
    nearly = gray.clone()
    nearly[0, 0, 0] += 1 if nearly[0, 0, 0] < WHITE else -1
    of_gray, of_nearly = detect(detector, gray), detect(detector, nearly)
    require(
        agree(of_gray, of_nearly),
        f"A gray image and one that is gray but for one pixel give {shown(of_gray, of_nearly)}.",
    )


def check_deterministic(detector: Detector) -> None:
    """The same image gives exactly the same boxes again, whatever the random generator's
    state."""
    torch.manual_seed(1)
    first = detect(detector, scene())
    torch.manual_seed(2)
    again = detect(detector, scene())
    require(first.equals(again), f"A second look gives {shown(first, again)}.")


def check_images_untouched(detector: Detector) -> None:
    """The caller's tensor is not changed."""
    tensor = scene()
    detect(detector, tensor)
    require(torch.equal(tensor, scene()), "Detecting changed the image that it was given.")
