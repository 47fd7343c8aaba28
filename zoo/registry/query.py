"""The `--where` language: `AP > 40 and params < 30M and license = permissive`, parsed by a grammar,
never evaluated as code.

    expression  comparisons joined by `and`, `or`, `not` and parentheses
    comparison  field = value, and != < <= > >= and ~ (a glob), or field in (value, value)
    value       a number, with K, M, G or B for thousands, millions and billions; text, bare or
                quoted; `unknown`

Case does not matter, and `!=` is always `not … =`. A fact that is null is unknown: neither a
comparison nor its opposite holds of it (Kleene's logic), so that `not AP > 40` lists no model
without a published AP; `AP = unknown` finds those. A model has several tags and classes, and one is
enough: `class = person` asks for models that detect people, `classes` for the number of classes,
and `labels` for the name of the label space, as in `labels = coco80`.

`code_license` and `weights_license` are SPDX identifiers; `permissive` stands for all that are on
the list in `zoo.registry.license`. `license` is both:

    license = permissive    both are permissive
    license != permissive   one of them is known not to be
    license = unknown       one of them is unknown, or both are
    license != unknown      both are known
    anything else           has to hold of both; a model for which it holds of one only is left out,
                            and so it is for the opposite: neither `= AGPL-3.0` nor `!= AGPL-3.0`
                            lists MIT code with AGPL weights
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from typing import Any, TypeVar

from lark import Lark, Token, Transformer, v_args
from lark.exceptions import UnexpectedInput

from zoo.errors import QueryError
from zoo.labels import builtin
from zoo.registry.fields import FIELDS, SYNONYMS, Field
from zoo.registry.license import is_identifier, is_permissive, nearest
from zoo.registry.summary import CUSTOM, CardSummary
from zoo.suggest import close_matches, did_you_mean, join_or, suggest

MAX_QUERY_LETTERS = 1000
_GRAMMAR = r"""
    ?start: either
    ?either: both (_OR both)*
    ?both: single (_AND single)*
    ?single: _NOT single                                   -> negation
           | "(" either ")"
           | WORD OPERATOR value                           -> comparison
           | WORD IN "(" value ("," value)* ")"            -> membership
    ?value: NUMBER | QUOTED | WORD
    _OR.3: /or(?![\w.*?\/+-])/i
    _AND.3: /and(?![\w.*?\/+-])/i
    _NOT.3: /not(?![\w.*?\/+-])/i
    IN.3: /in(?![\w.*?\/+-])/i
    OPERATOR: "!=" | "<=" | ">=" | "=" | "<" | ">" | "~"
    NUMBER.2: /[-+]?(\d+(\.\d*)?|\.\d+)(e[-+]?\d+|[kmgb])?(?![\w.*?\/+-])/i
    QUOTED: /"[^"]*"|'[^']*'/
    WORD: /[\w.*?\[\/+-][\w.*?\[\]\/+-]*/
    %ignore /\s+/
"""
_POWERS = {"k": "e3", "m": "e6", "g": "e9", "b": "e9"}
_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_EXPECTED = {
    "$END": "the end",
    "COMMA": "','",
    "LPAR": "'('",
    "NUMBER": "a value",
    "OPERATOR": "one of = != < <= > >= ~",
    "RPAR": "')'",
    "WORD": "a field",
}

Test = Callable[[CardSummary], bool | None]
Holds = Callable[[Any], bool]
Decide = Callable[[Iterable[bool | None]], bool | None]
T = TypeVar("T")


@dataclass(frozen=True)
class Query:
    """A parsed expression; `test` says of a row whether it holds, or None where that depends on an
    unknown fact."""

    text: str
    test: Test

    def select(
        self, rows: Iterable[tuple[T, CardSummary]]
    ) -> tuple[list[tuple[T, CardSummary]], int]:
        """The pairs it holds of, and how many were left out because a fact about them is
        unknown."""
        judged = [(pair, self.test(pair[1])) for pair in rows]
        return [pair for pair, holds in judged if holds], sum(holds is None for _, holds in judged)


def parse(text: str) -> Query:
    """The query that `text` spells. Raises QueryError, with a caret under the place."""
    if len(text) > MAX_QUERY_LETTERS:
        raise QueryError(
            "The expression after --where can't be used.",
            f"The expression is longer than {MAX_QUERY_LETTERS} characters.",
            "Ask for less.",
        )
    try:
        return Query(text, _parser().parse(text))  # type: ignore[arg-type]  # the transformer makes tests of trees
    except UnexpectedInput as error:
        raise _syntax_error(text, error) from None
    except _Misuse as error:
        raise _error(
            text, error.token.start_pos or 0, len(error.token), error.case, error.fix
        ) from None


class _Misuse(Exception):
    """A token that is grammatical and makes no sense."""

    def __init__(self, token: Token, case: str, fix: str) -> None:
        super().__init__(case)
        self.token, self.case, self.fix = token, case, fix


@v_args(inline=True)
class _Tests(Transformer[Token, Test]):
    """Turns each rule into a test as it is reduced, so that no tree is built and nothing recurses
    while parsing."""

    def either(self, *tests: Test) -> Test:
        return lambda row: _any(test(row) for test in tests)

    def both(self, *tests: Test) -> Test:
        return lambda row: _all(test(row) for test in tests)

    def negation(self, test: Test) -> Test:
        return lambda row: None if (holds := test(row)) is None else not holds

    def comparison(self, name: Token, sign: Token, value: Token) -> Test:
        field = _field(name)
        if sign in ("=", "!="):
            test = self.membership(name, sign, value)
            return self.negation(test) if sign == "!=" else test
        if field.kind == "number" and sign != "~":
            against, compare = _number(value, field), _OPERATORS[sign]
            return _judge(field, lambda value: compare(value, against))
        if field.kind != "number" and sign == "~":
            glob = _text(value)
            return _judge(field, lambda value: fnmatchcase(value.casefold(), glob))
        kind, signs = (
            ("a number", "= != < <= > >= in") if field.kind == "number" else ("text", "= != ~ in")
        )
        raise _Misuse(
            sign, f"'{name}' is {kind}, and '{sign}' does not apply to it.", f"Use one of {signs}."
        )

    def membership(self, name: Token, _: Token, *values: Token) -> Test:
        field = _field(name)
        known_values = [value for value in values if not _is_unknown(value)]
        if not known_values:
            return lambda row: None in field.read(row)
        tests = [_equals(field, value) for value in known_values]
        both = _all if tests == [is_permissive] else _alike
        return _judge(
            field,
            lambda value: any(test(value) for test in tests),
            null=len(known_values) < len(values),
            both=both,
        )


def _judge(field: Field, holds: Holds, *, null: bool = False, both: Decide | None = None) -> Test:
    """The test of a field's values by that of one. `null`: unknown ones pass as well. `both`: what
    two answers make."""
    decide = (both or _alike) if field.holds == "both" else _any
    return lambda row: decide(
        (null or None) if value is None else holds(value) for value in field.read(row)
    )


def _alike(answers: Iterable[bool | None]) -> bool | None:
    """The answer that all have in common; unknown where they differ, or one is unknown."""
    common = set(answers)
    return common.pop() if len(common) == 1 else None


def _all(answers: Iterable[bool | None]) -> bool | None:
    """Kleene's conjunction: false if one is, else unknown if one is."""
    all_known = True
    for answer in answers:
        if answer is False:
            return False
        all_known = all_known and answer is not None
    return True if all_known else None


def _any(answers: Iterable[bool | None]) -> bool | None:
    """Kleene's disjunction: true if one is, else unknown if one is."""
    all_known = True
    for answer in answers:
        if answer:
            return True
        all_known = all_known and answer is not None
    return False if all_known else None


def _field(name: Token) -> Field:
    spellings = {field.casefold(): field for field in [*FIELDS, *SYNONYMS]}
    folded = name.casefold()
    if folded in spellings:
        return FIELDS[SYNONYMS.get(spellings[folded], spellings[folded])]
    alike = [spellings[name] for name in close_matches(folded, spellings)]
    fix = suggest(alike, otherwise=f"The fields are {', '.join(FIELDS)}.")
    raise _Misuse(name, f"There is no field '{name}'.", fix)


def _equals(field: Field, value: Token) -> Holds:
    """Whether a known value equals the one in the expression."""
    if field.kind == "number":
        against = _number(value, field)
        return lambda value: bool(value == against)
    text = _text(value)
    if field.kind == "license":
        if text == "permissive":
            return is_permissive
        _check_license(value)
    if field.kind == "labels" and text not in (*builtin.names(), CUSTOM):
        raise _no_label_space(value)
    return lambda value: value.casefold() == text


def _is_unknown(value: Token) -> bool:
    return value.type == "WORD" and value.casefold() == "unknown"


def _check_license(value: Token) -> None:
    text = _text(value)
    if not is_identifier(text):
        alike = nearest(text, besides=("permissive", "unknown"))
        fix = (
            f"Did you mean {join_or(alike)}?"
            if alike
            else "Write permissive, unknown, or one of https://spdx.org/licenses."
        )
        raise _Misuse(
            value,
            f"'{text}' is not an SPDX identifier.",
            f"{fix} Any other text goes with ~, as in license ~ '*gpl*'.",
        )


def _no_label_space(value: Token) -> _Misuse:
    names = builtin.names()
    otherwise = f"There are {', '.join(names)} and {CUSTOM}."
    fix = did_you_mean(_text(value), names, otherwise=otherwise)
    return _Misuse(
        value,
        f"No label space is called {value}.",
        f"{fix} For models that find a class: class = {value}",
    )


def _number(value: Token, field: Field) -> float:
    if value.type != "NUMBER":
        by_name = f" For a class by its name: class = {value}" if field is FIELDS["classes"] else ""
        raise _Misuse(
            value, "A number belongs here.", f"Write for example 40, 0.5 or 30M.{by_name}"
        )
    suffix = _POWERS.get(value[-1].lower())
    return float(value[:-1] + suffix if suffix else value)


def _text(value: Token) -> str:
    return (value[1:-1] if value.type == "QUOTED" else value).casefold()


@cache
def _parser() -> Lark:
    return Lark(_GRAMMAR, parser="lalr", transformer=_Tests(), maybe_placeholders=False)


def _syntax_error(text: str, error: UnexpectedInput) -> QueryError:
    token = getattr(error, "token", None)
    at = error.pos_in_stream or 0
    if token is None:
        return _error(
            text, at, 1, f"The character {text[at]!r} does not belong here.", _expectation(error)
        )
    if token.type == "$END":
        return _error(text, len(text), 1, "It ends too early.", _expectation(error))
    return _error(text, at, len(token), f"'{token}' does not belong here.", _expectation(error))


def _expectation(error: UnexpectedInput) -> str:
    terminals = set(getattr(error, "accepts", None) or getattr(error, "allowed", None) or ())
    terminals -= {"WORD", "QUOTED"} if "NUMBER" in terminals else set()
    *others, last = [
        _EXPECTED.get(name) or f"'{name.strip('_').lower()}'" for name in sorted(terminals)
    ] or ["a comparison"]
    return (
        f"Expected {', '.join(others)}{' or ' if others else ''}{last}, as in: AP > 40 and params "
        f"< 30M"
    )


def _error(text: str, at: int, length: int, case: str, fix: str) -> QueryError:
    """The error with the expression, cut to a line, and a caret under the place."""
    begin = max(0, at - 50)
    line = "".join(char if char.isprintable() else " " for char in text[begin : begin + 74])
    caret = " " * (at - begin) + "^" * max(1, min(length, 74 - (at - begin)))
    return QueryError(
        ("The expression after --where can't be used:", f"  {line}", f"  {caret}"), case, fix
    )
