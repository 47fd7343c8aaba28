"""Plain data comes back from the YAML that is written, whatever its text looks like."""

from __future__ import annotations

from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from zoo.registry.yaml_document import parse
from zoo.registry.yaml_writer import dump

texts = st.text(st.characters(exclude_categories=["C"]), max_size=12)
plain: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**15), 10**15) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)


@given(st.dictionaries(texts, plain, min_size=1, max_size=3), st.sampled_from([False, None]))
@example({"model": "0e0"}, False)
@example({"labels": ["1e5", "+1", ".5", "0o7", "0x1F", "1_000", "12:30", "no", "~", ""]}, None)
def test_what_is_written_is_read_equal(document: dict[str, Any], flow: bool | None) -> None:
    assert parse(dump(document, flow=flow).encode(), "written").data == document  # type: ignore[arg-type]


def test_text_that_reads_as_text_is_not_quoted() -> None:
    document = {"model": "yolox_nano", "labels": ["dog", "traffic light"]}
    assert dump(document) == "model: yolox_nano\nlabels:\n- dog\n- traffic light\n"
