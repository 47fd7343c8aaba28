"""The `--where` language: `AP > 40 and params < 30M and license = permissive`, parsed by a grammar, never evaluated as code.

    expression  comparisons joined by `and`, `or`, `not` and parentheses
    comparison  field = value, and != < <= > >= and ~ (a glob), or field in (value, value)
    value       a number, with K, M, G or B for thousands, millions and billions; text, bare or quoted; `unknown`

Case does not matter. A fact that is null is unknown: neither a comparison nor its opposite holds of it (Kleene's logic), so that
`not AP > 40` lists no model without a published AP; `AP = unknown` finds those. `license` stands for the licences of code and of
weights: a comparison has to hold of both, and `permissive` is the list in `zoo.registry.license`. Of the `tags` one is enough.
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
from zoo.registry.fields import FIELDS, SYNONYMS, Field, Value
from zoo.registry.license import is_permissive
from zoo.registry.near import choice_of, near
from zoo.registry.row import Row

LIMIT = 1000
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
_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}
_EXPECTED = {
    "$END": "the end",
    "COMMA": "','",
    "LPAR": "'('",
    "NUMBER": "a value",
    "OPERATOR": "one of = != < <= > >= ~",
    "RPAR": "')'",
    "WORD": "a field",
}

Test = Callable[[Row], bool | None]
Holds = Callable[[Any], bool]
T = TypeVar("T")


@dataclass(frozen=True)
class Query:
    """A parsed expression; `test` says of a row whether it holds, or None where that depends on an unknown fact."""

    text: str
    test: Test

    def select(self, rows: Iterable[tuple[T, Row]]) -> tuple[list[tuple[T, Row]], int]:
        """The pairs it holds of, and how many were left out because a fact about them is unknown."""
        judged = [(pair, self.test(pair[1])) for pair in rows]
        return [pair for pair, holds in judged if holds], sum(holds is None for _, holds in judged)


def parse(text: str) -> Query:
    """The query that `text` spells. Raises QueryError, with a caret under the place."""
    if len(text) > LIMIT:
        raise QueryError(
            "Models were asked for with --where.", f"The expression is longer than {LIMIT} characters.", "Ask for less."
        )
    try:
        return Query(text, _parser().parse(text))  # type: ignore[arg-type]  # the transformer makes tests of trees
    except UnexpectedInput as why:
        raise _syntax_error(text, why) from None
    except _Misuse as why:
        raise _error(text, why.token.start_pos or 0, len(why.token), why.case, why.fix) from None


class _Misuse(Exception):
    """A token that is grammatical and makes no sense."""

    def __init__(self, token: Token, case: str, fix: str) -> None:
        super().__init__(case)
        self.token, self.case, self.fix = token, case, fix


@v_args(inline=True)
class _Tests(Transformer[Token, Test]):
    """Turns each rule into a test as it is reduced, so that no tree is built and nothing recurses while parsing."""

    def either(self, *tests: Test) -> Test:
        return lambda row: _any(test(row) for test in tests)

    def both(self, *tests: Test) -> Test:
        return lambda row: _all(test(row) for test in tests)

    def negation(self, test: Test) -> Test:
        return lambda row: None if (holds := test(row)) is None else not holds

    def comparison(self, name: Token, sign: Token, value: Token) -> Test:
        field = _field(name)
        if sign in ("=", "!="):
            return _judge(field, _equals(field, value), negated=sign == "!=", null=_is_unknown(value))
        if field.kind == "number" and sign != "~":
            against, compare = _number(value), _OPERATORS[sign]
            return _judge(field, lambda found: compare(found, against))
        if field.kind != "number" and sign == "~":
            glob = _text(value)
            return _judge(field, lambda found: fnmatchcase(found.casefold(), glob))
        kind, signs = ("a number", "= != < <= > >= in") if field.kind == "number" else ("text", "= != ~ in")
        raise _Misuse(sign, f"'{name}' is {kind}, and '{sign}' does not apply to it.", f"Use one of {signs}.")

    def membership(self, name: Token, _: Token, *values: Token) -> Test:
        field = _field(name)
        tests = [_equals(field, value) for value in values]
        return _judge(field, lambda found: any(test(found) for test in tests), null=any(map(_is_unknown, values)))


def _judge(field: Field, holds: Holds, *, negated: bool = False, null: bool = False) -> Test:
    """The test of a field's values. `null`: it asks for unknown facts, of which it then holds."""

    def one(found: Value) -> bool | None:
        if found is None:
            return not negated if null else None
        return holds(found) != negated

    decide = _all if field.every or negated else _any
    return lambda row: decide(map(one, field.read(row)))


def _all(answers: Iterable[bool | None]) -> bool | None:
    """Kleene's conjunction: false if one is, else unknown if one is."""
    known = True
    for answer in answers:
        if answer is False:
            return False
        known = known and answer is not None
    return True if known else None


def _any(answers: Iterable[bool | None]) -> bool | None:
    """Kleene's disjunction: true if one is, else unknown if one is."""
    known = True
    for answer in answers:
        if answer:
            return True
        known = known and answer is not None
    return False if known else None


def _field(name: Token) -> Field:
    known = {field.casefold(): field for field in [*FIELDS, *SYNONYMS]}
    asked = name.casefold()
    if asked in known:
        return FIELDS[SYNONYMS.get(known[asked], known[asked])]
    alike = [known[one] for one in near(asked, known)]
    fix = f"Did you mean {choice_of(alike)}?" if alike else f"The fields are {', '.join(FIELDS)}."
    raise _Misuse(name, f"There is no field '{name}'.", fix)


def _equals(field: Field, value: Token) -> Holds:
    """Whether a known value equals the one in the expression; never, where that is the word `unknown`."""
    if _is_unknown(value):
        return lambda _: False
    if field.kind == "number":
        against = _number(value)
        return lambda found: bool(found == against)
    text = _text(value)
    if field.kind == "license" and text == "permissive":
        return is_permissive
    return lambda found: found.casefold() == text


def _is_unknown(value: Token) -> bool:
    return value.type == "WORD" and value.casefold() == "unknown"


def _number(value: Token) -> float:
    if value.type != "NUMBER":
        raise _Misuse(value, "A number belongs here.", "Write for example 40, 0.5 or 30M.")
    suffix = _POWERS.get(value[-1].lower())
    return float(value[:-1] + suffix if suffix else value)


def _text(value: Token) -> str:
    return (value[1:-1] if value.type == "QUOTED" else value).casefold()


@cache
def _parser() -> Lark:
    return Lark(_GRAMMAR, parser="lalr", transformer=_Tests(), maybe_placeholders=False)


def _syntax_error(text: str, why: UnexpectedInput) -> QueryError:
    token = getattr(why, "token", None)
    at = why.pos_in_stream or 0
    if token is None:
        return _error(text, at, 1, f"The character {text[at]!r} does not belong here.", _expected(why))
    if token.type == "$END":
        return _error(text, len(text), 1, "It ends too early.", _expected(why))
    return _error(text, at, len(token), f"'{token}' does not belong here.", _expected(why))


def _expected(why: UnexpectedInput) -> str:
    terminals = set(getattr(why, "accepts", None) or getattr(why, "allowed", None) or ())
    terminals -= {"WORD", "QUOTED"} if "NUMBER" in terminals else set()
    *others, last = [_EXPECTED.get(name) or f"'{name.strip('_').lower()}'" for name in sorted(terminals)] or ["a comparison"]
    return f"Expected {', '.join(others)}{' or ' if others else ''}{last}, as in: AP > 40 and params < 30M"


def _error(text: str, at: int, length: int, case: str, fix: str) -> QueryError:
    """The error with the expression, cut to a line, and a caret under the place."""
    begin = max(0, at - 50)
    line = "".join(char if char.isprintable() else " " for char in text[begin : begin + 74])
    caret = " " * (at - begin) + "^" * max(1, min(length, 74 - (at - begin)))
    return QueryError(f"Models were asked for with --where:\n  {line}\n  {caret}", case, fix)
