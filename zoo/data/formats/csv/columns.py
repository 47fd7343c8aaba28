"""The columns of a table of boxes: which of them is what, by name."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from zoo.data.formats.csv.options import CsvOptions
from zoo.errors import DataError
from zoo.suggest import close_matches

# Meaning -> the names that tools give it, in small letters without blanks, dashes and underscores.
NAMES: dict[str, tuple[str, ...]] = {
    "image": (
        *("image", "filename", "file", "imagefile", "imagepath", "filepath", "path", "imagename"),
        *("img", "imgpath", "imgname", "imageid", "imagefilename"),
    ),
    "label": (
        *("label", "class", "classname", "category", "categoryname", "labelname", "name"),
        *("labels", "object", "type", "target"),
    ),
    "xmin": ("xmin", "x1", "left", "bboxxmin", "xtl", "x0"),
    "ymin": ("ymin", "y1", "top", "bboxymin", "ytl", "y0"),
    "xmax": ("xmax", "x2", "right", "bboxxmax", "xbr"),
    "ymax": ("ymax", "y2", "bottom", "bboxymax", "ybr"),
    "x": ("x", "bboxx"),
    "y": ("y", "bboxy"),
    "w": ("w", "bboxwidth", "boxwidth", "bboxw"),
    "h": ("h", "bboxheight", "boxheight", "bboxh"),
    "width": ("width", "imagewidth", "imgwidth"),
    "height": ("height", "imageheight", "imgheight"),
    "split": ("split", "set", "subset", "partition"),
    "crowd": ("crowd", "iscrowd", "isgroupof"),
    "area": ("area",),
    "id": ("id", "annotationid", "boxid"),
    "class_id": ("classid", "categoryid", "labelid"),
}
CORNERS = ("xmin", "ymin", "xmax", "ymax")
SIDES = ("x", "y", "w", "h")
OWN_ID = "image_id"  # the id of an image where it is not its file's name
OF_IMAGE = "image."  # in front of an attribute of images


def meanings(header: Sequence[str], options: CsvOptions, path: str) -> dict[str, int]:
    """Meaning -> position of its column; columns of other names are left out.

    Raises: DataError for a column that is needed and missing, or that several names could be.
    """
    places = {key: _position_of(header, key, options, path) for key in NAMES}
    at = {key: place for key, place in places.items() if place is not None}
    if (
        "w" not in at
        and "h" not in at
        and not {"xmax", "ymax"} & at.keys()
        and {"x", "y"} <= set(at)
    ):
        # next to x and y alone, width and height are the box's
        at |= {new: at.pop(old) for new, old in (("w", "width"), ("h", "height")) if old in at}
    missing = [key for key in ("image", "label") if key not in at]
    if not set(CORNERS) <= set(at) and not set(SIDES) <= set(at):
        missing += [key for key in CORNERS if key not in at]
    if missing:
        raise _missing(missing, header, set(at.values()), path)
    if OWN_ID in header and header.index(OWN_ID) != at["image"]:
        at[OWN_ID] = header.index(OWN_ID)
    return at


def _position_of(header: Sequence[str], key: str, options: CsvOptions, path: str) -> int | None:
    column = getattr(options, key, None) if key in (*CORNERS, *SIDES, "image", "label") else None
    if column is not None:
        if column in header:
            return header.index(column)
        suggestions = close_matches(column, header, most=1)
        fix = (
            f"Did you mean {key}={suggestions[0]}?"
            if suggestions
            else f"It has {', '.join(header)}."
        )
        raise DataError(f"{path} can't be read.", f"It has no column '{column}'.", fix)
    plain = [_plain(name) for name in header]
    places = [plain.index(name) for name in NAMES[key] if name in plain]
    return places[0] if places else None


def _plain(name: str) -> str:
    return re.sub(r"[\s_-]", "", name).lower()


def _missing(missing: Sequence[str], header: Sequence[str], used: set[int], path: str) -> DataError:
    rest = [name for place, name in enumerate(header) if place not in used]
    key = missing[0]
    case = f"It has no column for {', '.join(missing)}; its columns are {', '.join(header)}."
    fix = f"Say which column is it: csv:{path},{key}={rest[0] if rest else 'COLUMN'}"
    if len(missing) > 2:
        fix = f"If it has no header, name its columns: csv:{path},columns=image label xmin …"
    return DataError(f"{path} can't be read.", case, fix)


def attributes(header: Sequence[str], at: Mapping[str, int]) -> dict[str, int]:
    """The columns that no meaning takes, by name."""
    used = set(at.values())
    return {name: place for place, name in enumerate(header) if place not in used and name}
