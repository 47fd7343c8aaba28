"""Extension fields, `x-…`: whoever writes a registry file may keep facts of their own in them."""

from __future__ import annotations

from functools import cache
from typing import Any

from msgspec import inspect

EXTENSION_PREFIX = "x-"


def without_extensions(data: Any, kind: Any) -> Any:
    """`data`, which is to become a `kind`, without the extension fields of the structs in it."""
    return _stripped(data, _type_of(kind))


@cache
def _type_of(kind: Any) -> inspect.Type:
    return inspect.type_info(kind)


def _stripped(data: Any, kind: inspect.Type) -> Any:
    if isinstance(kind, inspect.Metadata):
        return _stripped(data, kind.type)
    if isinstance(kind, inspect.UnionType):
        return _stripped(data, _member_for(data, kind))
    if isinstance(data, dict) and isinstance(kind, inspect.StructType):
        types = {field.encode_name: field.type for field in kind.fields}
        return {
            name: _stripped(value, types[name]) if name in types else value
            for name, value in data.items()
            if not (isinstance(name, str) and name.startswith(EXTENSION_PREFIX))
        }
    if isinstance(data, dict) and isinstance(kind, inspect.DictType):
        return {name: _stripped(value, kind.value_type) for name, value in data.items()}
    if isinstance(data, list) and isinstance(kind, inspect.ListType):
        return [_stripped(item, kind.item_type) for item in data]
    return data


def _member_for(data: Any, union: inspect.UnionType) -> inspect.Type:
    """The member of a union that data of this form becomes."""
    structs = [kind for kind in union.types if isinstance(kind, inspect.StructType)]
    if isinstance(data, dict) and structs:
        tagged = [
            kind for kind in structs if kind.tag_field and data.get(kind.tag_field) == kind.tag
        ]
        return [*tagged, *structs][0]
    kinds = inspect.DictType if isinstance(data, dict) else inspect.ListType
    return next((kind for kind in union.types if isinstance(kind, kinds)), inspect.AnyType())
