"""Draws docs/images/detections.jpg: photographs in a row, with what a model finds in them.

The page shows three of scikit-image's: `python docs/build_detections.py astronaut.png chelsea.png
coffee.png --model yolox_nano`.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import PIL.Image

import zoo
from zoo.draw import draw

PAGE = Path(__file__).parent / "images" / "detections.jpg"
HEIGHT, GAP = 320, 8  # pixels


def panel(model: zoo.Detector, photo: Path) -> PIL.Image.Image:
    """One photograph with its detections, at the height of the row."""
    image = PIL.Image.open(photo).convert("RGB")
    size = (round(image.width * HEIGHT / image.height), HEIGHT)
    image = image.resize(size, PIL.Image.Resampling.LANCZOS)
    return draw(image, model.detect(image, score=0.5))


def row(panels: list[PIL.Image.Image]) -> PIL.Image.Image:
    """Panels side by side, on white."""
    width = sum(image.width + GAP for image in panels) - GAP
    canvas = PIL.Image.new("RGB", (width, HEIGHT), "white")
    left = 0
    for image in panels:
        canvas.paste(image, (left, 0))
        left += image.width + GAP
    return canvas


def main() -> None:
    """Draws the row."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("photos", nargs="+", type=Path)
    parser.add_argument("--model", default="yolox_nano")
    parser.add_argument("--weights", default=True, help="as `zoo detect` takes them")
    parser.add_argument("--to", type=Path, default=PAGE)
    options = parser.parse_args()
    model = zoo.load(options.model, weights=options.weights)
    panels = [panel(model, photo) for photo in options.photos]
    row(panels).save(options.to, quality=88)


if __name__ == "__main__":
    main()
