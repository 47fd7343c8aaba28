"""Files that `zoo detect` writes while it runs: one JSON object a picture, COCO results, annotated pictures."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from zoo.detections import Detections
from zoo.errors import ImageError, ZooError


@contextmanager
def json_list(to: str) -> Iterator[Callable[[object], None]]:
    """A file (`-` is standard output) that becomes a JSON list, item by item; JSON Lines where its name ends in `.jsonl`."""
    lines = to.endswith(".jsonl")
    with ExitStack() as stack:
        file = sys.stdout if to == "-" else stack.enter_context(_create(Path(to)))
        count = 0

        def write(item: object) -> None:
            nonlocal count
            file.write(
                ("" if lines or count else "[\n")
                + (",\n" if count and not lines else "")
                + json.dumps(item)
                + ("\n" if lines else "")
            )
            count += 1

        yield write
        if not lines:
            file.write("\n]\n" if count else "[]\n")


def _create(path: Path) -> IO[str]:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return path.open("w", encoding="utf-8")
    except OSError as why:
        raise ImageError(
            f"Results were to be written to '{path}'.", f"{why.strerror}.", "Name a file that can be written.", file=str(path)
        ) from why


def object_of(seen: Detections, *, model: str | None, weights_sha256: str | None) -> dict[str, object]:
    """What `--json` writes of one picture."""
    one = seen.to_json()
    head = {name: one[name] for name in ("file", "width", "height")}
    return {**head, "model": model, "weights_sha256": weights_sha256, "detections": one["detections"]}


@dataclass(frozen=True)
class ImageIds:
    """The image id a COCO results file has for each picture: from an annotations file, else the number the file name is."""

    by_name: Mapping[str, int] | None

    @classmethod
    def read(cls, annotations: Path | None) -> ImageIds:
        """From the `images` of a COCO annotations file, or, without one, from file names."""
        if annotations is None:
            return cls(None)
        asked = f"Image ids were to be read from '{annotations}'."
        try:
            images = json.loads(annotations.read_text(encoding="utf-8"))["images"]
            return cls({str(image["file_name"]).rsplit("/", 1)[-1]: int(image["id"]) for image in images})
        except (OSError, ValueError, KeyError, TypeError) as why:
            fix = "Give a COCO annotations file, with `images: [{id, file_name}]`."
            raise ZooError(asked, f"It is no such file: {type(why).__name__}: {why}.", fix) from why

    def of(self, source: str) -> int:
        """The id of one picture. Raises: ZooError where there is none."""
        path = Path(source)
        if self.by_name is not None and path.name in self.by_name:
            return self.by_name[path.name]
        if self.by_name is None and path.stem.isdecimal():
            return int(path.stem)
        case = "Its name is no number." if self.by_name is None else "The annotations file has no image of that name."
        raise ZooError(
            f"The COCO image id of '{source}' was asked for.",
            case,
            "Pass the data set's annotations: --coco-images instances.json",
        )


class Annotated:
    """A folder of annotated pictures, named as the originals; two of one name get a number."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._taken: set[str] = set()
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as why:
            asked = f"Annotated pictures were to be saved in '{folder}'."
            raise ImageError(asked, f"{why.strerror}.", "Name a folder that can be made.", file=str(folder)) from why

    def path_for(self, source: str) -> Path:
        """Where the annotated picture of `source` goes."""
        original = Path(source.split("?")[0].rstrip("/"))
        suffix = original.suffix.lower() if original.suffix.lower() in (".jpg", ".jpeg", ".png", ".webp") else ".png"
        name, number = f"{original.stem}{suffix}", 1
        while name in self._taken:
            number += 1
            name = f"{original.stem}-{number}{suffix}"
        self._taken.add(name)
        return self.folder / name
