"""The columns of boxes in tables of Arrow, by what they are called."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from zoo.data.formats.hub.options import HubOptions
from zoo.errors import DataError
from zoo.suggest import close_matches

if TYPE_CHECKING:
    import pyarrow as pa

FILE_NAME = "file_name"
IMAGE_ID = "image_id"
# Meaning -> what data sets of the Hub call it, the usual one first.
OBJECTS = ("objects", "annotations", "object", "annotation", "instances", "labels")
BOXES = ("bbox", "bboxes", "boxes", "box", "bounding_boxes", "bounding_box", "xywh", "xyxy")
LABELS = (
    *("category", "categories", "label", "labels", "class", "classes", "category_id"),
    *("category_ids", "class_id", "class_ids", "class_label", "class_labels", "name", "names"),
)
AREA = ("area", "areas")
CROWD = ("iscrowd", "is_crowd", "crowd")
BOX_ID = ("id", "ids", "bbox_id", "annotation_id")
IMAGES = ("image", "img", "images", "pixel_values", "jpg", "png")
SIZES = ("width", "height")


@dataclass(frozen=True)
class BoxColumns:
    """The names of the columns that boxes are in.

    objects: the column they are in together; empty where each is a column of its own.
    area, crowd, id: empty where there is none. others: further fields of each box.
    image: of images inside the table; empty for none.
    image_id: of the ids of images; empty for none.
    """

    objects: str
    boxes: str
    labels: str
    area: str = ""
    crowd: str = ""
    id: str = ""
    others: tuple[str, ...] = ()
    image: str = ""
    image_id: str = ""

    @property
    def label_path(self) -> tuple[str, ...]:
        """The names that lead to the labels, the outermost first."""
        return (self.objects, self.labels) if self.objects else (self.labels,)

    @property
    def of_boxes(self) -> tuple[str, ...]:
        """The columns that have a value a box."""
        names = (self.boxes, self.labels, self.area, self.crowd, self.id, *self.others)
        return tuple(filter(None, names))

    @property
    def not_of_images(self) -> tuple[str, ...]:
        """The columns of a table that say no more of an image."""
        return (*filter(None, (self.objects or self.boxes, self.labels, self.image)), *SIZES)


def box_columns(schema: pa.Schema, options: HubOptions, address: str) -> BoxColumns:
    """The columns of a table. Raises: DataError where they are not there, with those that are."""
    names = list(schema.names)
    images = [name for name in names if _is_image(schema, name)]
    image = _find_column("image", options.image, images) or (images[0] if len(images) == 1 else "")
    objects = _find_column("objects", options.objects, names, OBJECTS, address)
    fields = _fields(schema.field(objects).type) if objects else {}
    if objects and not fields and options.objects is None:
        objects = ""  # a plain column that happens to be called so
    if objects and not fields:
        case = f"Its column '{objects}' is {schema.field(objects).type}, without boxes and labels."
        raise DataError(
            f"Data set '{address}' can't be read.", case, "Name another: objects=COLUMN"
        )
    candidates = list(fields) if objects else names
    boxes = _require_column("boxes", options.boxes, BOXES, candidates, objects, address)
    labels = _require_column("labels", options.labels, LABELS, candidates, objects, address)
    lists = fields or [name for name in names if _is_list(schema.field(name).type)]
    free = [name for name in lists if name not in (boxes, labels)]
    rest = {
        key: _find_column(key, None, free, usual)
        for key, usual in (("area", AREA), ("crowd", CROWD), ("id", BOX_ID))
    }
    used = {boxes, labels, *rest.values()}
    return BoxColumns(
        objects=objects,
        boxes=boxes,
        labels=labels,
        **rest,
        others=tuple(name for name in fields if name not in used),
        image=image,
        image_id=_find_column("id", options.id, names, (IMAGE_ID,), address),
    )


def _find_column(
    option: str,
    requested: str | None,
    names: Sequence[str],
    usual: Sequence[str] = IMAGES,
    address: str = "",
) -> str:
    """The column that a person names, or the first usual one that is there; else nothing. Raises:
    DataError for a name that is not there."""
    if requested is None:
        lower = {name.lower(): name for name in reversed(names)}
        return next((lower[name] for name in usual if name in lower), "")
    if requested in names:
        return requested
    suggestions = close_matches(requested, names, most=1)
    fix = f"Did you mean {option}={suggestions[0]}?" if suggestions else f"Correct {option}="
    case = f"It has no column '{requested}'; its columns are {', '.join(names)}."
    raise DataError(f"Data set '{address}' can't be read.", case, fix)


def _require_column(
    option: str,
    requested: str | None,
    usual: Sequence[str],
    names: Sequence[str],
    objects: str,
    address: str,
) -> str:
    """The same, of a column that has to be there. Raises: DataError."""
    if column := _find_column(option, requested, names, usual, address):
        return column
    where = f"Its column '{objects}' has" if objects else "It has"
    case = f"{where} no column of {option} that is known; there are {', '.join(names)}."
    fix = f"Say which it is: ,{option}=COLUMN" + (
        "" if objects else ", or in which: ,objects=COLUMN"
    )
    raise DataError(f"Data set '{address}' can't be read.", case, fix)


def _fields(kind: pa.DataType) -> Mapping[str, pa.DataType]:
    """The fields of a struct of lists, or of a list of structs; none of anything else."""
    import pyarrow.types as types

    inner = kind.value_type if _is_list(kind) else kind
    if not types.is_struct(inner):
        return {}
    return {inner.field(at).name: inner.field(at).type for at in range(inner.num_fields)}


def _is_list(kind: pa.DataType) -> bool:
    import pyarrow.types as types

    return bool(types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind))


def _is_image(schema: pa.Schema, name: str) -> bool:
    """Whether a column has encoded images: bytes, or a struct with them."""
    import pyarrow.types as types

    kind = schema.field(name).type
    inner: Any = _fields(kind).get("bytes") if types.is_struct(kind) else kind
    return inner is not None and bool(types.is_binary(inner) or types.is_large_binary(inner))
