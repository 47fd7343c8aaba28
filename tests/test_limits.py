"""What is too large or too deep is told before a parser sees it, and what is not passes, whatever
its text looks like."""

import json
import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zoo.limits import DEPTH, LimitError, check_json, check_toml, check_yaml, read

DEEP = 100_000
document = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text("[]{}\"\\'#:, \n a"),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text('[]{}"\\ab', max_size=4), inner, max_size=4)
    ),
    max_leaves=30,
)


def depth_of(value: object) -> int:
    inner = (
        value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    )
    return 0 if inner is None else 1 + max(map(depth_of, inner), default=0)


@given(document, st.integers(0, 6))
def test_json_is_refused_exactly_where_it_is_deeper(value, depth):
    raw = json.dumps(value, ensure_ascii=False).encode()
    if depth_of(value) > depth:
        with pytest.raises(LimitError, match=f"Line 1: It is nested deeper than {depth} levels"):
            check_json(raw, depth=depth)
    else:
        check_json(raw, depth=depth)


@given(st.lists(st.text("[]{}\"'#\\ab. ", max_size=9), max_size=9))
def test_brackets_in_the_text_of_toml_are_no_depth(words):
    lines = [
        f"a{number} = {json.dumps(word)} # [[[ ' \" {word}" for number, word in enumerate(words)
    ]
    lines += [f"b{number} = '''{word}'''" for number, word in enumerate(words) if "'" not in word]
    raw = "\n".join(lines).encode()
    tomllib.loads(raw.decode())
    check_toml(raw, depth=0)


@pytest.mark.parametrize("opened", ["[", '{"a":', '{"[":[', '[1,"\\"]",', "[[],"])
@pytest.mark.parametrize("closed", [True, False])
def test_a_bomb_of_json_is_refused_with_its_line(opened, closed):
    raw = ("\n" + opened * DEEP + "]" * DEEP * closed).encode()
    with pytest.raises(LimitError, match=f"Line 2: It is nested deeper than {DEPTH} levels"):
        check_json(raw)


@pytest.mark.parametrize(
    "text",
    [
        "x = " + "[" * DEEP,
        "x = " + "{a = " * DEEP,
        ".".join("a" * DEEP) + " = 1",
        "[" + " . ".join(['"a"'] * DEEP) + "]",
    ],
    ids=["arrays", "tables", "a dotted key", "a quoted header"],
)
def test_a_bomb_of_toml_is_refused_with_its_line(text):
    with pytest.raises(LimitError, match=f"Line 2: It is nested deeper than {DEPTH} levels"):
        check_toml(f"\n{text}\n".encode())


@pytest.mark.parametrize("opened", ["[", "{a: ", "- {'a b': [", "? [", '{"a":\n  ['])
def test_a_bomb_of_yaml_is_refused_before_it_is_parsed(opened):
    with pytest.raises(LimitError, match="It is nested deeper than 24 levels"):
        check_yaml(f"schema: {'[' if opened[0] in '-?' else ''}{opened * DEEP}".encode(), depth=24)


@pytest.mark.parametrize(
    "text", ["in [0, 1) and " * 50, "[] " * 50, "[a]: [" * 50, "x\n" + "- [1, 2]\n" * 50]
)
def test_many_brackets_that_are_not_nested_are_no_bomb(text):
    check_yaml(text.encode(), depth=24)


def test_a_file_is_read_up_to_its_limit_and_not_beyond(tmp_path):
    path = tmp_path / "document.json"
    path.write_bytes(b"12345678")
    assert read(path, most=8) == b"12345678"
    with pytest.raises(LimitError, match="It is larger than 0 MB"):
        read(path, most=7)
    for unreadable in (tmp_path, tmp_path / "none", tmp_path / "a\0b"):
        with pytest.raises(LimitError, match="It can't be read: ") as caught:
            read(unreadable)
        assert caught.value.fix
