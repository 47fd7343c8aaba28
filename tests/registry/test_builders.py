"""Builders: found by name, imported when they are first asked for, and blamed on their plugin when
they can't be."""

import inspect
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from types import ModuleType

import pytest

from zoo.errors import MissingExtra, NameAmbiguous, NameNotFound, PluginError
from zoo.registry import Catalogue
from zoo.registry.plugins import Plugin, PluginInfo
from zoo.registry.registrations import Contribution


def plugin(name: str, **parts: object) -> Plugin:
    contribution = Contribution(name, Path())
    for part, build in parts.items():
        contribution.add_builder("backbones", part.replace("family", "*"), build)  # type: ignore[arg-type]
    return Plugin(
        PluginInfo(name, f"detzoo-{name}", "1.0", f"detzoo_{name}", "loaded"), contribution
    )


def resnet(*, strides: tuple[int, ...] = ()) -> str:
    return f"resnet at {strides}"


def any_of(name: str, *, strides: tuple[int, ...] = ()) -> str:
    return f"{name} at {strides}"


@pytest.fixture
def known() -> Catalogue:
    off = Plugin(
        PluginInfo("off", "detzoo-off", "1.0", "detzoo_off", "switched off"),
        Contribution("off", Path()),
    )
    return Catalogue(
        [],
        [
            plugin("tv", resnet=resnet, shared=resnet),
            plugin("timm", family=any_of, own=resnet),
            plugin("yolo", shared="json:dumps", deep="json.decoder:JSONDecoder.decode"),
            off,
        ],
    )


def test_parts_are_listed_qualified_and_families_with_a_star(known: Catalogue) -> None:
    assert known.parts("backbones") == [
        "timm/*",
        "timm/own",
        "tv/resnet",
        "tv/shared",
        "yolo/deep",
        "yolo/shared",
    ]
    assert known.parts("necks") == []


@pytest.mark.parametrize(
    ("kind", "says"),
    [("backbone", "Did you mean 'backbones'?"), ("zoo", "There are architectures, backb")],
)
def test_a_kind_that_there_is_not_is_an_error_with_those_there_are(
    known: Catalogue, kind: str, says: str
) -> None:
    for ask in (known.parts, lambda one: known.builder(one, "resnet")):
        with pytest.raises(NameNotFound, match="There is no such kind") as error:
            ask(kind)  # type: ignore[arg-type]
        assert says in error.value.fix


@pytest.mark.parametrize(
    ("name", "owner"),
    [("tv/resnet", None), ("resnet", None), ("resnet", "tv"), ("tv/resnet", "yolo")],
)
def test_a_part_is_found_by_its_name(known: Catalogue, name: str, owner: str | None) -> None:
    assert inspect.unwrap(known.builder("backbones", name, plugin=owner)) is resnet


def test_a_name_of_several_plugins_has_to_say_which(known: Catalogue) -> None:
    with pytest.raises(NameAmbiguous, match="'tv/shared' or 'yolo/shared'"):
        known.builder("backbones", "shared")
    assert inspect.unwrap(known.builder("backbones", "shared", plugin="tv")) is resnet


def test_a_builder_given_as_text_is_imported_on_first_use(known: Catalogue) -> None:
    import json

    assert inspect.unwrap(known.builder("backbones", "yolo/shared")) is json.dumps
    assert inspect.unwrap(known.builder("backbones", "deep")) is json.JSONDecoder.decode


@pytest.mark.parametrize(
    "name", ["resnet18", "resnet18.a1_in1k", "eva02_base_patch14_224.mim_in22k"]
)
def test_a_family_builds_any_of_its_names(known: Catalogue, name: str) -> None:
    build = known.builder("backbones", f"timm/{name}")
    assert isinstance(build, partial)
    assert build(strides=(8, 16)) == f"{name} at (8, 16)"
    assert known.builder("backbones", name, plugin="timm")() == f"{name} at ()"


def test_a_name_registered_beside_a_family_is_preferred(known: Catalogue) -> None:
    assert inspect.unwrap(known.builder("backbones", "timm/own")) is resnet


def test_a_bare_name_is_not_guessed_to_be_of_a_family(known: Catalogue) -> None:
    with pytest.raises(NameNotFound, match="'timm/convnext_tiny'"):
        known.builder("backbones", "convnext_tiny")


@pytest.mark.parametrize(
    ("name", "suggests"),
    [
        ("resnt", "'tv/resnet'"),
        ("tv/resnt", "'tv/resnet'"),
        ("yolo/resnet", "'tv/resnet'"),
        ("", "There are"),
        ("timm/", "'timm/own'"),
        ("*", "There are"),
        ("timm/*", "'timm/own'"),
        ("a/b/c", "There are"),
    ],
)
def test_a_wrong_name_is_told_the_nearest(known: Catalogue, name: str, suggests: str) -> None:
    with pytest.raises(NameNotFound) as caught:
        known.builder("backbones", name)
    assert suggests in caught.value.fix


def test_a_part_of_a_plugin_that_is_switched_off_is_told_so(known: Catalogue) -> None:
    with pytest.raises(NameNotFound, match="switched off by ZOO_PLUGINS"):
        known.builder("backbones", "off/net")


def test_a_kind_without_parts_says_so(known: Catalogue) -> None:
    with pytest.raises(NameNotFound, match="none, no plugin brings any"):
        known.builder("necks", "fpn")


@pytest.fixture
def module() -> Iterator[Callable[[str, object], None]]:
    """Makes a module importable that has one thing in it, or raises when it is looked at."""
    made: list[str] = []

    def make(name: str, thing: object) -> None:
        made.append(name)
        sys.modules[name] = ModuleType(name)
        if isinstance(thing, BaseException):

            def fail(_: str) -> object:
                raise thing

            vars(sys.modules[name])["__getattr__"] = fail
        else:
            vars(sys.modules[name])["build"] = thing

    yield make
    for name in made:
        del sys.modules[name]


@pytest.mark.parametrize(
    ("build", "thing", "says"),
    [
        (
            "no_such_module_at_all:build",
            None,
            "ModuleNotFoundError: No module named 'no_such_module_at_all'",
        ),
        ("json:no_such_function", None, "AttributeError"),
        ("zoo_test_parts:build", ImportError("needs libfoo"), "ImportError: needs libfoo"),
        ("zoo_test_parts:build", SystemExit(3), "its import called sys.exit(3)"),
        ("zoo_test_parts:build", 42, "that is an int, which can't be called"),
    ],
)
def test_a_builder_that_can_not_be_had_is_blamed_on_its_plugin(
    module: Callable[[str, object], None], build: str, thing: object, says: str
) -> None:
    module("zoo_test_parts", thing)
    broken = Catalogue([], [plugin("acme", net=build)])
    with pytest.raises(PluginError) as caught:
        broken.builder("backbones", "net")
    assert says in caught.value.case
    assert "'acme' of detzoo-acme 1.0" in caught.value.case
    assert build in caught.value.case
    assert "pip install --upgrade detzoo-acme" in caught.value.fix


def test_a_missing_extra_is_told_as_it_is(module: Callable[[str, object], None]) -> None:
    module("zoo_test_parts", MissingExtra("Asked.", "Not installed.", "pip install it"))
    with pytest.raises(MissingExtra, match="pip install it"):
        Catalogue([], [plugin("acme", net="zoo_test_parts:build")]).builder("backbones", "net")
