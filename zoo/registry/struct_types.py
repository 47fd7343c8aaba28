"""The declared type of a place in plain data: which fields a mapping may have, and which words a
field takes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec import inspect

Step = str | int


def fields_at(kind: Any, data: Any, steps: Sequence[Step]) -> list[str]:
    """The fields of the mapping that the steps lead to, as they are written; none where it is not
    of a struct. data: what was given, which says which of several structs is meant."""
    names = {
        name
        for member in _types_at(kind, data, steps)
        if isinstance(member, inspect.StructType)
        for name in (*(field.encode_name for field in member.fields), member.tag_field)
        if name
    }
    return sorted(names)


def words_at(kind: Any, data: Any, steps: Sequence[Step]) -> list[str]:
    """The words that the field at the end of the steps takes, if it takes a few alone: those of a
    `Literal`, or the kinds of structs that differ by one."""
    literals = [
        member for member in _types_at(kind, data, steps) if isinstance(member, inspect.LiteralType)
    ]
    words = [str(value) for member in literals for value in member.values]
    return words or _tags(kind, data, steps)


def _tags(kind: Any, data: Any, steps: Sequence[Step]) -> list[str]:
    if not steps:
        return []
    structs = [
        member
        for member in _types_at(kind, data, steps[:-1], tagged=False)
        if isinstance(member, inspect.StructType)
    ]
    return [str(member.tag) for member in structs if member.tag_field == steps[-1]]


def _types_at(
    kind: Any, data: Any, steps: Sequence[Step], *, tagged: bool = True
) -> list[inspect.Type]:
    """The types that may be at the end of the steps. tagged: of structs that differ by a kind, the
    one that the data says."""
    types = _members(inspect.type_info(kind))
    for step in steps:
        types = _tag_matches(types, data)
        types = [inner for outer in types for inner in _inside(outer, step)]
        data = _value(data, step)
    return _tag_matches(types, data) if tagged else types


def _members(kind: inspect.Type) -> list[inspect.Type]:
    if isinstance(kind, inspect.Metadata):
        return _members(kind.type)
    if isinstance(kind, inspect.UnionType):
        return [member for inner in kind.types for member in _members(inner)]
    return [kind]


def _inside(kind: inspect.Type, step: Step) -> list[inspect.Type]:
    if isinstance(kind, inspect.StructType):
        return [
            member
            for field in kind.fields
            if field.encode_name == step
            for member in _members(field.type)
        ]
    if isinstance(kind, inspect.DictType):
        return _members(kind.value_type)
    if isinstance(kind, inspect.ListType | inspect.VarTupleType):
        return _members(kind.item_type)
    if isinstance(kind, inspect.TupleType) and isinstance(step, int):
        return _members(kind.item_types[step])
    return []


def _tag_matches(types: list[inspect.Type], data: Any) -> list[inspect.Type]:
    """Those whose kind the data says, if it says one of theirs; else all."""
    chosen: list[inspect.Type] = [
        kind
        for kind in types
        if isinstance(kind, inspect.StructType)
        and kind.tag_field
        and isinstance(data, dict)
        and data.get(kind.tag_field) == kind.tag
    ]
    return chosen or types


def _value(data: Any, step: Step) -> Any:
    try:
        return data[step]
    except (KeyError, IndexError, TypeError):
        return None
