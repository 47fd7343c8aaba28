"""A small YOLO folder that tests change."""

from pathlib import Path

from PIL import Image

YAML = "names: [cat, dog]\n"


def written(folder: Path, files: dict[str, str | None]) -> Path:
    """Files by name: text, or None for an image of 40 x 20 pixels."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if text is None:
            Image.new("RGB", (40, 20)).save(path, "JPEG")
        else:
            path.write_text(text, "utf-8")
    return folder
