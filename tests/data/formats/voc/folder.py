"""A small VOC folder that tests change."""

from pathlib import Path

from PIL import Image

OBJECT = (
    "<object><name>{name}</name>{more}<bndbox><xmin>{0}</xmin><ymin>{1}</ymin><xmax>{2}</xmax>"
    "<ymax>{3}</ymax></bndbox></object>"
)


def item(*box: float | str, name: str = "cat", more: str = "") -> str:
    return OBJECT.format(*box, name=name, more=more)


def written(
    folder: Path,
    xml: str = "a.xml",
    *objects: str,
    filename: str | None = None,
    image: str | None = "a.jpg",
    images: str = "JPEGImages",
) -> Path:
    """Adds one XML and its image to a folder."""
    path = folder / "Annotations" / xml
    path.parent.mkdir(parents=True, exist_ok=True)
    said = f"<filename>{filename or path.stem + '.jpg'}</filename>"
    size = "<size><width>20</width><height>10</height></size>"
    path.write_text(f"<annotation>{said}{size}{''.join(objects)}</annotation>", "utf-8")
    if image is not None:
        place = folder / images / image
        place.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (20, 10)).save(place, "JPEG")
    return folder
