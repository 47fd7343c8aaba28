"""One image, however and with whomever it comes, is answered alike."""

from __future__ import annotations

import io
import tempfile
from pathlib import Path

import PIL.Image
import torch

from zoo.detectors.detector import Detector
from zoo.files import write_file
from zoo.images import Source
from zoo.testing.conformance.compare import agree, shown
from zoo.testing.conformance.errors import require
from zoo.testing.conformance.images import detect, detect_all, scene

TEN = 10
WHITE = 255


def check_every_form_gives_the_same(detector: Detector) -> None:
    """As a path, bytes, PIL image, array or tensor, whatever its layout in memory, an image gives
    identical boxes."""
    picture = scene()
    array = picture.permute(1, 2, 0).contiguous().numpy()  # (h, w, 3)
    image = PIL.Image.fromarray(array)
    file = io.BytesIO()
    image.save(file, "PNG")
    expected = detect(detector, picture)
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
            seen = detector.detect(form, score=0.0, max_boxes=50)
            require(seen.equals(expected), f"As {name} the image gives {shown(seen, expected)}.")  # type: ignore[union-attr, arg-type]


def check_batch_of_one_equals_single(detector: Detector) -> None:
    """A list of one image gives a list of exactly what the image gives."""
    one, [other] = (
        detector.detect(scene(), score=0.0, max_boxes=50),
        detect_all(detector, [scene()]),
    )
    require(one.equals(other), f"In a list of one it sees {shown(one, other)}.")


def check_neighbours_change_nothing(detector: Detector) -> None:
    """In a batch each image is answered as it is alone.

    Tolerance: 80 % of the 20 best boxes have a partner of the same label, with an IoU of 0.9 and a
        score within 0.01.
    """
    pictures = [scene(seed=1), scene(seed=2), torch.full_like(scene(), 255)]
    for position, (together, picture) in enumerate(
        zip(detect_all(detector, pictures), pictures, strict=True)
    ):
        alone = detect(detector, picture)
        require(
            agree(together, alone),
            f"Image {position} of a batch gives {shown(together, alone)}, alone and together.",
        )


def check_large_batches_change_nothing(detector: Detector) -> None:
    """In a batch of ten the first, the ninth and the last are answered as they are alone; the
    tolerance is that of neighbours."""
    pictures = [scene(seed=seed) for seed in range(TEN)]
    together = detect_all(detector, pictures)
    for position in (0, TEN - 2, TEN - 1):
        alone = detect(detector, pictures[position])
        difference = shown(together[position], alone)
        require(
            agree(together[position], alone),
            f"Image {position} of a batch of ten gives {difference}, alone and together.",
        )


def check_gray_is_no_special_case(detector: Detector) -> None:
    """A gray image, whose channels are equal, is answered as one in which a single pixel is not;
    tolerance as for neighbours."""
    gray = scene()[:1].expand(3, -1, -1).contiguous()
    nearly = gray.clone()
    nearly[0, 0, 0] += 1 if nearly[0, 0, 0] < WHITE else -1
    one, other = detect(detector, gray), detect(detector, nearly)
    require(
        agree(one, other),
        f"A gray image and one that is gray but for one pixel give {shown(one, other)}.",
    )


def check_order_kept(detector: Detector) -> None:
    """Images of several sizes are answered in the order in which they came; the tolerance is that
    of neighbours."""
    pictures = [
        scene(40, 64, seed=1),
        scene(64, 40, seed=2),
        scene(40, 64, seed=3),
        scene(50, 50, seed=4),
    ]
    seen = detect_all(detector, pictures)
    sizes = [(picture.shape[1], picture.shape[2]) for picture in pictures]
    require(
        [one.size for one in seen] == sizes,
        f"Images of {sizes} came back as {[one.size for one in seen]}.",
    )
    for position in (0, 2):
        alone = detect(detector, pictures[position])
        require(
            agree(seen[position], alone),
            f"Result {position} is not of image {position}: {shown(seen[position], alone)}.",
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
    picture = scene()
    detect(detector, picture)
    require(torch.equal(picture, scene()), "Detecting changed the image that it was given.")
