"""Whatever document: the kernel reads it as the careful reader does, or leaves it to that one."""

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zoo.data.formats.coco import scan
from zoo.data.formats.coco.records import (
    careful_instances,
    careful_results,
    read_instances,
    read_results,
)
from zoo.errors import DataError

COLUMNS = ("image_ids", "sizes", "ids", "images", "categories", "boxes", "areas", "crowd")
KERNEL = scan.kernel_or_none() is not None
needs_kernel = pytest.mark.skipif(not KERNEL, reason="there is no compiled kernel here")


def as_bytes(text: str | bytes) -> Any:
    return memoryview(text.encode() if isinstance(text, str) else text)


numbers = st.one_of(
    st.integers(-(10**6), 10**6).map(str),
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.floats(0, 1).map(lambda value: f"{value:.17g}"),
    st.floats(0, 2000, width=32).map(lambda value: repr(float(value))),
    st.from_regex(r"-?(0|[1-9][0-9]{0,22})(\.[0-9]{1,24})?([eE][+-]?[0-9]{1,3})?", fullmatch=True),
    st.sampled_from(
        [
            "-0",
            "-0.0",
            "0e5",
            "1.0",
            "9007199254740993",
            "5e-324",
            "1e400",
            "1e-400",
            "01",
            "1.",
            "+1",
            "NaN",
            "true",
        ]
    ),
)
ids = st.one_of(
    st.integers(-3, 5).map(str),
    st.sampled_from(["1.0", '"1"', "true", "null", "9223372036854775807", "9223372036854775808"]),
)
plain_ids = st.integers(0, 9).map(str)
label_space = st.sampled_from(["", "", "", " ", "\n", "\t\r "])
extra = st.recursive(
    st.one_of(
        numbers, st.sampled_from(["null", "true", "false"]), st.text(max_size=5).map(json.dumps)
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda items: f"[{','.join(items)}]"),
        st.dictionaries(st.text(max_size=3).map(json.dumps), inner, max_size=3).map(
            lambda items: "{" + ",".join(f"{key}: {value}" for key, value in items.items()) + "}"
        ),
    ),
    max_leaves=6,
)
raw_text = st.one_of(
    st.text(max_size=6).map(lambda text: json.dumps(text, ensure_ascii=False)),
    st.text(max_size=6).map(json.dumps),
    st.sampled_from(['"\\u0041"', '"\\ud800"', '"\\q"', '"a\tb"', '"x', '"\\ud83d\\ude00"']),
)


@st.composite
def records(
    draw: st.DrawFn, fields: dict[str, st.SearchStrategy[str]], needed: tuple[str, ...]
) -> str:
    """An object with most of these fields in any order, and some that nobody knows."""
    names = list(
        draw(st.permutations([name for name in fields if name in needed or draw(st.booleans())]))
    )
    if draw(st.integers(0, 30)) == 0:
        names.append(draw(st.sampled_from(names)))  # a key that is there twice
    members = [
        f'"{name}"{draw(label_space)}:{draw(label_space)}{draw(fields[name])}' for name in names
    ]
    for _ in range(draw(st.integers(0, 2))):
        key = draw(
            st.one_of(raw_text, st.sampled_from(['"segmentation"', '"image\\u005fid"', '"b"']))
        )
        members.insert(
            draw(st.integers(0, len(members))),
            f"{key}:{draw(label_space)}{draw(st.one_of(extra, raw_text))}",
        )
    return (
        "{"
        + draw(label_space)
        + f"{draw(label_space)},{draw(label_space)}".join(members)
        + draw(label_space)
        + "}"
    )


def boxes(number: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.lists(number, min_size=4, max_size=4).map(lambda four: f"[{' , '.join(four)}]")


def results(number: st.SearchStrategy[str], key: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    fields = {"image_id": key, "category_id": key, "bbox": boxes(number), "score": number}
    return st.lists(records(fields, tuple(fields)), max_size=4).map(
        lambda made: f" [ {', '.join(made)} ]\n"
    )


@st.composite
def documents(draw: st.DrawFn, number: st.SearchStrategy[str], key: st.SearchStrategy[str]) -> str:
    image = {
        "id": key,
        "file_name": st.one_of(raw_text, st.just("null")),
        "width": st.one_of(key, st.just("null")),
        "height": key,
    }
    annotation = {
        "id": key,
        "image_id": key,
        "category_id": key,
        "bbox": boxes(number),
        "area": number,
        "iscrowd": key,
    }
    lists = {
        "images": st.lists(records(image, ("id",)), max_size=3),
        "annotations": st.lists(
            records(annotation, ("id", "image_id", "category_id", "bbox")), max_size=3
        ),
        "categories": st.lists(records({"id": key, "name": raw_text}, ("id", "name")), max_size=3),
        "info": st.lists(extra, max_size=2),
    }
    names = draw(
        st.permutations(
            [
                "images",
                "categories",
                *(name for name in ("annotations", "info") if draw(st.booleans())),
            ]
        )
    )
    return "{" + ",".join(f'"{name}": [{", ".join(draw(lists[name]))}]' for name in names) + "}"


def outcome(read: Any, text: Any, columns: tuple[str, ...]) -> Any:
    try:
        found = read(text, "the file")
    except DataError as error:
        return str(error)
    values = [getattr(found, name) for name in columns]
    rest = (
        [found.files, [(one.id, one.name) for one in found.declared]] if "sizes" in columns else []
    )
    return [
        (
            value.shape,
            value.astype(np.float64).tobytes() if value.dtype.kind == "f" else value.tolist(),
        )
        for value in values
    ] + rest


@given(st.one_of(results(numbers, ids), results(numbers, plain_ids)))
@settings(max_examples=300)
def test_results_are_read_as_the_careful_reader_does(text: str) -> None:
    columns = ("images", "categories", "boxes", "scores")
    assert outcome(read_results, as_bytes(text), columns) == outcome(
        careful_results, as_bytes(text), columns
    )


@given(st.one_of(documents(numbers, ids), documents(numbers, plain_ids)))
@settings(max_examples=300)
def test_instances_are_read_as_the_careful_reader_does(text: str) -> None:
    assert outcome(read_instances, as_bytes(text), COLUMNS) == outcome(
        careful_instances, as_bytes(text), COLUMNS
    )


@given(results(numbers, plain_ids).map(str.encode), st.integers(0, 10**6), st.integers(0, 255))
@settings(max_examples=300)
def test_one_changed_byte_means_the_same_to_both(text: bytes, at: int, byte: int) -> None:
    changed = bytearray(text)
    changed[at % len(changed)] = byte
    columns = ("images", "categories", "boxes", "scores")
    assert outcome(read_results, as_bytes(bytes(changed)), columns) == outcome(
        careful_results, as_bytes(bytes(changed)), columns
    )


@needs_kernel
@given(
    st.floats(allow_nan=False, allow_infinity=False, min_value=1e-300, max_value=1e300),
    st.integers(1, 17),
)
@settings(max_examples=1000)
def test_numbers_are_the_nearest_double(value: float, places: int) -> None:
    texts = [repr(value), f"{value:.{places}e}", f"{value:.{places}g}", f"-{value:.17g}"]
    record = '{{"image_id": 1, "category_id": 1, "bbox": [{}, {}, {}, {}], "score": 1}}'
    found = scan.results(as_bytes(f"[{record.format(*texts)}]"))
    assert found is not None
    assert found["boxes"][0].tolist() == [float(text) for text in texts]


@needs_kernel
@pytest.mark.parametrize("threads", [1, 2, 5])
def test_long_files_are_read_alike_by_any_number_of_threads(
    threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scan, "cores", lambda: threads)
    boxes = np.random.default_rng(0).uniform(0, 100, (40_000, 4)).round(2)
    made: list[dict[str, Any]] = []
    for number, box in enumerate(boxes.tolist()):
        made.append(
            {
                "image_id": number,
                "category_id": 1,
                "note": "},{",
                "bbox": box,
                "score": 0.5,
                "segmentation": [[1, 2.5]],
            }
        )
    found = scan.results(as_bytes(json.dumps(made)))
    assert found is not None
    assert (found["boxes"] == boxes).all()
    assert (found["images"] == np.arange(len(boxes))).all()
    annotations = [{"id": one["image_id"], **one} for one in made]
    read = scan.instances(
        as_bytes(json.dumps({"images": [], "annotations": annotations, "categories": []}))
    )
    assert read is not None
    assert (read[1]["boxes"] == boxes).all()
    assert (read[1]["ids"] == np.arange(len(boxes))).all()
    made[-1]["bbox"] = [1, 2, 3]
    assert scan.results(as_bytes(json.dumps(made))) is None


@needs_kernel
def test_a_wrong_guess_of_where_a_record_begins_costs_nothing_but_time() -> None:
    """A text in the middle of a long file that looks like the beginning of a record."""
    record = {"image_id": 1, "category_id": 1, "bbox": [1, 2, 3, 4], "score": 0.5}
    made = [record | {"note": '}, {"image_id": 2' * 100_000}, record]
    found = scan.results(as_bytes(json.dumps(made)))
    assert found is not None
    assert found["boxes"].tolist() == [[1, 2, 3, 4]] * 2
    nested = [record | {"parts": [record] * 20_000}, record]
    found = scan.results(as_bytes(json.dumps(nested)))
    assert found is not None
    assert len(found["scores"]) == 2


def test_without_the_kernel_the_careful_reader_works_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scan, "kernel_or_none", lambda: None)
    found = read_results(
        as_bytes('[{"image_id": 1, "category_id": 2, "bbox": [1, 2, 3, 4.5], "score": 0.5}]'),
        "the file",
    )
    assert found.boxes.tolist() == [[1, 2, 3, 4.5]]
