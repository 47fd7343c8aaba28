"""`--where`: held against an oracle that reads the same expression as plain Python, and never
surprised by any text."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from fnmatch import fnmatch
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zoo.errors import QueryError
from zoo.labels import names as label_spaces
from zoo.registry.fields import FIELDS, SYNONYMS
from zoo.registry.query import MAX_QUERY_LETTERS, parse
from zoo.registry.summary import CardSummary


def row(**facts: Any) -> CardSummary:
    unknown: dict[str, Any] = dict.fromkeys(CardSummary.__struct_fields__)
    given = {
        "name": "nano",
        "plugin": "acme",
        "architecture": "acme/net",
        "labels": "custom",
        "tags": (),
    }
    given |= {"listed": "thing"} if facts.get("labels", "custom") == "custom" else {}
    return CardSummary(**unknown | given | facts)


def holds(text: str, **facts: Any) -> bool | None:
    return parse(text).test(row(**facts))


def select(text: str, *rows: CardSummary) -> tuple[list[str], int]:
    kept, unknown = parse(text).select((one.name, one) for one in rows)
    return [name for name, _ in kept], unknown


@pytest.mark.parametrize(
    ("text", "facts", "answer"),
    [
        ("AP > 40", {"ap": 40.1}, True),
        ("AP > 40", {"ap": 40.0}, False),
        ("AP > 40", {}, None),
        ("not AP > 40", {}, None),
        ("not AP > 40", {"ap": 37.0}, True),
        ("AP = unknown", {}, True),
        ("AP = unknown", {"ap": 1.0}, False),
        ("AP != unknown", {}, False),
        ("AP != unknown", {"ap": 1.0}, True),
        ("AP = 'unknown'", {}, "A number belongs here."),
        ("family = 'unknown'", {"family": "Unknown"}, True),
        ("AP in (30, unknown)", {}, True),
        ("AP in (30, 40.0)", {"ap": 40.0}, True),
        ("AP in (30, 40.0)", {}, None),
        ("params < 30M", {"parameters": 29_999_999}, True),
        ("params = 41.755286M", {"parameters": 41_755_286}, True),
        ("parameters >= 1.2b", {"parameters": 1_200_000_000}, True),
        ("params = 5K", {"parameters": 5_000}, True),
        ("gflops <= 1e1", {"gflops": 10.0}, True),
        ("megabytes < .5", {"megabytes": 0.4}, True),
        ("input = 1333", {"size": (800, 1333)}, True),
        ("name = NANO", {}, True),
        ("name = acme/nano", {}, True),
        ("name ~ n?n*", {}, True),
        ("name ~ [mn]ano", {}, True),
        ("name != nano", {}, False),
        ("architecture = net", {}, True),
        ("architecture = acme/net", {}, True),
        ("plugin in (user, acme)", {}, True),
        ("family ~ 'faster*'", {"family": "Faster R-CNN"}, True),
        ("labels = coco80", {"labels": "coco80"}, True),
        ("classes = 80", {"labels": "coco80"}, True),
        ("classes = 2", {"listed": "helmet\nvest"}, True),
        ("classes = 80", {"labels": "coco91"}, True),
        ("class = person", {"labels": "coco91"}, True),
        ("class = Vest", {"listed": "helmet\nvest"}, True),
        ("class = person", {"listed": "helmet\nvest"}, False),
        ("not class = vest", {"listed": "helmet\nvest"}, False),
        ("class ~ *cycle", {"labels": "coco80"}, True),
        ("labels = custom", {"listed": "helmet"}, True),
        ("tags = v2", {"tags": ("v1", "v2")}, True),
        ("tags != v2", {"tags": ("v1", "v2")}, False),
        ("tags = v2", {"tags": ()}, False),
        ("tags ~ v*", {"tags": ("x", "v2")}, True),
        ("license = permissive", {"code_license": "MIT", "weights_license": "Apache-2.0"}, True),
        ("licence = Permissive", {"code_license": "mit", "weights_license": "apache-2.0"}, True),
        ("license = permissive", {"code_license": "MIT", "weights_license": "AGPL-3.0"}, False),
        ("license = permissive", {"code_license": "MIT"}, None),
        ("license = permissive", {"code_license": "AGPL-3.0"}, False),
        ("license != permissive", {"code_license": "MIT", "weights_license": "AGPL-3.0"}, True),
        ("license != permissive", {"code_license": "MIT", "weights_license": "MIT"}, False),
        ("license != permissive", {"code_license": "AGPL-3.0"}, True),
        ("license != permissive", {"code_license": "MIT"}, None),
        ("not license = permissive", {"code_license": "MIT"}, None),
        ("license in (permissive)", {"code_license": "MIT", "weights_license": "AGPL-3.0"}, False),
        ("license = AGPL-3.0", {"code_license": "MIT", "weights_license": "AGPL-3.0"}, None),
        ("license != AGPL-3.0", {"code_license": "MIT", "weights_license": "AGPL-3.0"}, None),
        ("not license = AGPL-3.0", {"code_license": "MIT", "weights_license": "AGPL-3.0"}, None),
        ("license != AGPL-3.0", {"code_license": "MIT", "weights_license": "MIT"}, True),
        ("license != AGPL-3.0", {"code_license": "MIT"}, None),
        ("license ~ *GPL*", {"code_license": "MIT", "weights_license": "GPL-3.0"}, None),
        ("license ~ *GPL*", {"code_license": "LGPL-3.0", "weights_license": "GPL-3.0"}, True),
        (
            "license in (permissive, GPL-3.0)",
            {"code_license": "MIT", "weights_license": "GPL-3.0"},
            True,
        ),
        ("license in (MIT, unknown)", {"code_license": "MIT"}, True),
        ("license in (MIT, unknown)", {"code_license": "AGPL-3.0"}, None),
        ("license = unknown", {"code_license": "MIT"}, True),
        ("license = unknown", {}, True),
        ("license = unknown", {"code_license": "MIT", "weights_license": "MIT"}, False),
        ("license != unknown", {"code_license": "MIT"}, False),
        ("license in (unknown)", {"code_license": "MIT"}, True),
        ("weights_license = unknown", {"code_license": "MIT"}, True),
        ("code_licence = mit", {"code_license": "MIT"}, True),
        ("AP > 40 or params < 1M", {"parameters": 5}, True),
        ("AP > 40 or params < 1M", {"parameters": 5_000_000}, None),
        ("AP > 40 and params < 1M", {"parameters": 5_000_000}, False),
        ("AP > 40 and params < 1M", {"parameters": 5}, None),
        ("AP > 1 or AP > 2 and AP > 3", {"ap": 1.5}, True),
        ("(AP > 1 or AP > 2) and AP > 3", {"ap": 1.5}, False),
        ("not AP > 2 and AP > 1", {"ap": 1.5}, True),
        ("NOT not(Ap>1)AND(aP<2)", {"ap": 1.5}, True),
        ("  AP\t>\n1  ", {"ap": 1.5}, True),
    ],
)
def test_an_expression_means(text: str, facts: dict[str, Any], answer: bool | str | None) -> None:
    if isinstance(answer, str):
        with pytest.raises(QueryError, match=answer):
            parse(text)
    else:
        assert holds(text, **facts) is answer


def test_what_is_left_out_for_want_of_a_fact_is_counted() -> None:
    rows = [row(name="a", ap=41.0), row(name="b", ap=39.0), row(name="c"), row(name="d", ap=50.0)]
    assert select("AP > 40", *rows) == (["a", "d"], 1)
    assert select("AP > 40 or AP = unknown", *rows) == (["a", "c", "d"], 0)


@pytest.mark.parametrize(
    "text",
    [
        "not " * 245 + "AP > 1",
        "(" * 490 + "AP > 1" + ")" * 490,
        "AP>1 or(" * 110 + "AP > 1" + ")" * 110,
    ],
)
def test_the_deepest_expression_that_fits_can_be_asked(text: str) -> None:
    assert parse(text).test(row(ap=0.5)) in (True, False)


@given(
    st.text(max_size=60)
    | st.lists(
        st.sampled_from(["AP", "name", ">", "=", "(", ")", "and", "not", "in", "3M", ",", "'", "~"])
    ).map(" ".join)
)
def test_no_text_raises_anything_but_a_query_error(text: str) -> None:
    with suppress(QueryError):
        parse(text).test(row())


# The oracle: an expression is drawn as a Python value, spelled at random, and judged by what it
# says in Python.
@dataclass(frozen=True)
class Leaf:
    field: str
    sign: str
    values: tuple[str, ...]
    judge: Callable[[CardSummary], bool | None]


@dataclass(frozen=True)
class Node:
    word: str
    parts: tuple[Any, ...]


def kleene(part: Any, facts: CardSummary) -> bool | None:
    if isinstance(part, Leaf):
        return part.judge(facts)
    answers = [kleene(one, facts) for one in part.parts]
    if part.word == "not":
        return None if answers[0] is None else not answers[0]
    decisive = part.word == "or"
    return decisive if decisive in answers else None if None in answers else not decisive


NUMBERS = {
    "AP": "ap",
    "AP50": "ap50",
    "gflops": "gflops",
    "params": "parameters",
    "megabytes": "megabytes",
}
TEXTS = {"family": "family", "code_license": "code_license", "plugin": "plugin"}
AMOUNTS = [
    ("0", 0),
    ("-1", -1),
    ("2.5", 2.5),
    ("30", 30),
    ("1e1", 10),
    ("3K", 3000),
    ("1M", 1_000_000),
    ("2.5g", 2_500_000_000),
]
LICENSES = ["mit", "MIT", "Apache-2.0", "agpl-3.0", "MIT OR Apache-2.0"]
WORDS = ["mit", "MIT", "Apache-2.0", "acme", "a b", "or", "coco80", "30", "not", "x*"]


def compare(attribute: str, check: Callable[[Any], bool]) -> Callable[[CardSummary], bool | None]:
    def judge(facts: CardSummary) -> bool | None:
        found = getattr(facts, attribute)
        return None if found is None else check(found)

    return judge


@st.composite
def number_leaves(draw: st.DrawFn) -> Leaf:
    field, (spelled, amount) = draw(st.sampled_from(list(NUMBERS))), draw(st.sampled_from(AMOUNTS))
    sign = draw(st.sampled_from(["=", "!=", "<", "<=", ">", ">="]))
    python = {
        "=": "__eq__",
        "!=": "__ne__",
        "<": "__lt__",
        "<=": "__le__",
        ">": "__gt__",
        ">=": "__ge__",
    }[sign]
    return Leaf(
        field,
        sign,
        (spelled,),
        compare(NUMBERS[field], lambda found: bool(getattr(float(found), python)(float(amount)))),
    )


@st.composite
def text_leaves(draw: st.DrawFn) -> Leaf:
    field, sign = draw(st.sampled_from(list(TEXTS))), draw(st.sampled_from(["=", "!=", "~", "in"]))
    choices = LICENSES if field == "code_license" else WORDS
    words = draw(st.lists(st.sampled_from(choices), min_size=1, max_size=3 if sign == "in" else 1))
    lower = [word.lower() for word in words]
    checks: dict[str, Callable[[Any], bool]] = {
        "=": lambda found: found.lower() == lower[0],
        "!=": lambda found: found.lower() != lower[0],
        "~": lambda found: fnmatch(found.lower(), lower[0]),
        "in": lambda found: found.lower() in lower,
    }
    return Leaf(
        field,
        sign,
        tuple(f'"{word}"' if draw(st.booleans()) or not bare(word) else word for word in words),
        compare(TEXTS[field], checks[sign]),
    )


def bare(word: str) -> bool:
    return " " not in word and word not in ("or", "and", "not", "in")


EXPRESSIONS = st.recursive(
    number_leaves() | text_leaves(),
    lambda inner: (
        st.builds(lambda one: Node("not", (one,)), inner)
        | st.builds(
            lambda word, parts: Node(word, tuple(parts)),
            st.sampled_from(["and", "or"]),
            st.lists(inner, min_size=2, max_size=3),
        )
    ),
    max_leaves=8,
)
ROWS = st.builds(
    row,
    ap=st.none() | st.sampled_from([0.0, 2.5, 30.0, 31.0]),
    ap50=st.none() | st.sampled_from([10.0, 30.0]),
    gflops=st.none() | st.sampled_from([0.0, 3000.0]),
    parameters=st.none() | st.sampled_from([0, 3000, 1_000_000, 2_500_000_000]),
    megabytes=st.none() | st.just(2.5),
    family=st.none() | st.sampled_from(["Acme", "a b", "or", "30"]),
    code_license=st.none() | st.sampled_from(["MIT", "apache-2.0", "xyz"]),
    labels=st.sampled_from([*label_spaces(), "custom"]),
    plugin=st.sampled_from(["acme", "not"]),
)


def spelled(part: Any, draw: st.DrawFn, *, inside: str = "or") -> str:
    """The expression as text, with brackets where they are needed and sometimes where they are
    not."""
    gap = draw(st.sampled_from([" ", "  ", "\n"]))
    cased = draw(st.sampled_from([str.lower, str.upper, str.title]))
    if isinstance(part, Leaf):
        values = f"({', '.join(part.values)})" if part.sign == "in" else part.values[0]
        text = f"{cased(part.field)}{gap}{part.sign}{gap}{values}"
    elif part.word == "not":
        text = f"{cased('not')}{gap}{spelled(part.parts[0], draw, inside='not')}"
    else:
        text = f"{gap}{cased(part.word)}{gap}".join(
            spelled(one, draw, inside=part.word) for one in part.parts
        )
    binds = {"or": 0, "and": 1, "not": 2}
    needed = isinstance(part, Node) and binds[part.word] <= binds[inside] and part.word != "not"
    return f"({text})" if (needed and inside != "or") or draw(st.booleans()) else text


@settings(max_examples=100)
@given(st.data(), EXPRESSIONS, st.lists(ROWS, min_size=1, max_size=5))
def test_an_expression_agrees_with_the_oracle(
    data: st.DataObject, expression: Any, rows: list[CardSummary]
) -> None:
    text = spelled(expression, data.draw)
    if len(text) <= MAX_QUERY_LETTERS:
        query = parse(text)
        assert [query.test(one) for one in rows] == [kleene(expression, one) for one in rows]


@given(
    st.sampled_from(
        [
            "= MIT",
            "= permissive",
            "= unknown",
            "~ *GPL*",
            "in (MIT, unknown)",
            "in (permissive, AGPL-3.0)",
        ]
    ),
    st.tuples(*[st.none() | st.sampled_from(["MIT", "Apache-2.0", "AGPL-3.0"])] * 2),
)
def test_a_question_of_licences_and_its_opposite_never_list_the_same_model(
    asks: str, licenses: tuple[str | None, ...]
) -> None:
    facts = row(code_license=licenses[0], weights_license=licenses[1])
    answer, opposite = (
        parse(f"license {asks}").test(facts),
        parse(f"not license {asks}").test(facts),
    )
    assert opposite is (None if answer is None else not answer)
    if asks.startswith("="):
        assert parse(f"license !{asks}").test(facts) is opposite


def test_every_synonym_stands_for_a_field() -> None:
    assert set(SYNONYMS.values()) <= set(FIELDS)
