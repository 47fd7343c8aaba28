"""Writes plain data as YAML that `zoo.registry.yaml_document` reads back equal: text that it would
read as a number, a boolean or nothing is quoted."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from zoo.registry.yaml_document import is_plain_text

if TYPE_CHECKING:
    import yaml


def dump(document: Mapping[str, Any], *, flow: bool | None = False) -> str:
    """Plain data as YAML, in its own order.

    flow: whether lists and mappings are written in brackets; None is those that hold only scalars.
    """
    import yaml

    text: str = yaml.dump(
        document,
        Dumper=_dumper(),
        sort_keys=False,
        allow_unicode=True,
        width=100,
        default_flow_style=flow,
    )
    return text


@cache
def _dumper() -> type[yaml.SafeDumper]:
    import yaml  # deferred: reading does without most of the time

    class Dumper(yaml.SafeDumper):
        """PyYAML's, whose own rules quote what YAML 1.1 would misread, but not `0e0`."""

    def write_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
        style = None if is_plain_text(text) else "'"
        return dumper.represent_scalar("tag:yaml.org,2002:str", text, style)

    Dumper.add_representer(str, write_text)
    return Dumper
