"""The catalogue: what a name means, and what a wrong one is told."""

from collections.abc import Callable
from pathlib import Path

import pytest

from zoo.errors import NameAmbiguous, NameNotFound, ZooError
from zoo.registry import Catalogue
from zoo.registry.plugins import Plugin, PluginInfo
from zoo.registry.registrations import Contribution
from zoo.registry.registry_file import CORE, USER, read_registry_file

Write = Callable[..., Path]

CORE_FILE = """
    schema: 2
    aliases: {small: yolo_nano, newest: yolo_nano.v2, faster: faster_fpn}
    known_plugins:
      detr: {distribution: detzoo-detr, names: ["detr_*", "*_detr"]}
      broken: {distribution: detzoo-broken, names: ["broken_*"]}
      off: {distribution: detzoo-off, names: []}
    cards:
      yolo_nano:
        architecture: yolo/net
        labels: coco80
        default: v1
        weights:
          v1: {files: {model: [{kind: url, url: "https://e.org/1"}]}}
          v2: {files: {model: [{kind: url, url: "https://e.org/2", sha256: "12345678"}]}}
      yolo_tiny: {architecture: yolo/net, labels: coco80}
      shared: {architecture: yolo/net, labels: coco80}
      faster_fpn: {architecture: tv/faster, labels: coco91}
      hidden_one: {architecture: off/net, labels: coco80}
      lost_one: {architecture: nowhere/net, labels: coco80}
"""
TV_FILE = (
    "schema: 2\naliases: {quick: shared}\ncards: {shared: {architecture: faster, labels: coco91}}"
)
USER_FILE = """
    schema: 2
    aliases: {mine: my_yolo}
    mirrors: {"https://e.org/": "http://127.0.0.1/"}
    cards:
      my_yolo: {architecture: yolo/net, labels: [helmet, vest]}
      waiting: {architecture: off/net, labels: coco80}
"""


def plugin(name: str, status: str, *registry_files: object, reason: str = "") -> Plugin:
    info = PluginInfo(name, f"detzoo-{name}", "1.0", f"detzoo_{name}", status, reason)  # type: ignore[arg-type]
    return Plugin(info, Contribution(name, Path(), registry_files=list(registry_files)))  # type: ignore[arg-type]


@pytest.fixture
def known(write: Write) -> Catalogue:
    core = read_registry_file(write(CORE_FILE, "core.yaml"), owner=CORE)
    own = read_registry_file(write(TV_FILE, "tv.yaml"), owner="tv")
    user = read_registry_file(write(USER_FILE, "user.yaml"), owner=USER)
    plugins = [
        plugin("broken", "quarantined", reason="its import failed."),
        plugin("off", "switched off"),
        plugin("tv", "loaded", own),
        plugin("yolo", "loaded"),
    ]
    return Catalogue([core, own, user], plugins)


def error_of(known: Catalogue, name: str, kind: type[ZooError] = NameNotFound) -> ZooError:
    with pytest.raises(kind) as caught:
        known.resolve(name)
    assert f"'{name}'" in caught.value.failure
    return caught.value


def test_names_are_sorted_and_ambiguous_ones_are_qualified(known: Catalogue) -> None:
    assert known.names() == [
        "faster_fpn",
        "my_yolo",
        "tv/shared",
        "yolo/shared",
        "yolo_nano",
        "yolo_tiny",
    ]


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("yolo_*", ["yolo_nano", "yolo_tiny"]),
        ("YOLO_?ANO", ["yolo_nano"]),
        ("shared", ["tv/shared", "yolo/shared"]),
        ("tv/*", ["faster_fpn", "tv/shared"]),
        ("user/*", ["my_yolo"]),
        ("nothing*", []),
    ],
)
def test_a_pattern_matches_short_names_and_with_a_slash_qualified_ones(
    known: Catalogue, pattern: str, names: list[str]
) -> None:
    assert known.names(pattern) == names
    assert [entry.name for entry in known.entries(pattern)] == [
        name.rpartition("/")[2] for name in names
    ]
    assert [name for name, _ in known.rows(pattern)] == names


def test_an_entry_says_whose_it_is_and_where_it_stands(known: Catalogue) -> None:
    [mine] = known.entries("my_yolo")
    assert (mine.qualified, mine.plugin, Path(mine.origin).name, mine.line) == (
        "user/my_yolo",
        "user",
        "user.yaml",
        6,
    )
    assert mine.card.labels == ["helmet", "vest"]


@pytest.mark.parametrize(
    ("name", "qualified", "tag"),
    [
        ("yolo_nano", "yolo/yolo_nano", "v1"),
        ("yolo_nano.v2", "yolo/yolo_nano", "v2"),
        ("yolo/yolo_nano", "yolo/yolo_nano", "v1"),
        ("yolo/yolo_nano.v2", "yolo/yolo_nano", "v2"),
        ("small", "yolo/yolo_nano", "v1"),
        ("small.v2", "yolo/yolo_nano", "v2"),
        ("newest", "yolo/yolo_nano", "v2"),
        ("newest.v1", "yolo/yolo_nano", "v1"),
        ("tv/shared", "tv/shared", None),
        ("yolo/shared", "yolo/shared", None),
        ("quick", "tv/shared", None),
        ("mine", "user/my_yolo", None),
        ("user/my_yolo", "user/my_yolo", None),
    ],
)
def test_a_name_resolves(known: Catalogue, name: str, qualified: str, tag: str | None) -> None:
    choice = known.resolve(name)
    assert (choice.entry.qualified, choice.tag) == (qualified, tag)
    assert choice.weights == (choice.entry.card.weights[tag] if tag else None)
    assert choice.name == (f"{choice.entry.name}.{tag}" if tag else choice.entry.name)


def test_a_name_of_several_plugins_is_an_error_that_lists_them(known: Catalogue) -> None:
    error = error_of(known, "shared", NameAmbiguous)
    assert "'tv/shared' or 'yolo/shared'" in error.fix


@pytest.mark.parametrize(
    ("name", "suggests"),
    [
        ("yolo_nan", "'yolo_nano'"),
        ("Yolo_Nano", "'yolo_nano'"),
        ("yolo", "'yolo_nano'"),
        ("smal", "'small'"),
        ("yolo/yolo_nan", "'yolo/yolo_nano'"),
        ("tv/yolo_nano", "'yolo/yolo_nano'"),
        ("yolo_nano.v3", "'yolo_nano.v1' or 'yolo_nano.v2'"),
        ("xyzzy", "zoo list"),
        ("", "zoo list"),
        ("a/b/c.d.e", "zoo list"),
    ],
)
def test_a_wrong_name_is_told_the_nearest(known: Catalogue, name: str, suggests: str) -> None:
    assert suggests in error_of(known, name).fix


def test_a_tag_of_a_model_without_weights_is_told_so(known: Catalogue) -> None:
    assert "has no weights" in error_of(known, "yolo_tiny.v1").case


@pytest.mark.parametrize(
    ("name", "case", "fix"),
    [
        ("detr_r50", "comes from detzoo-detr, which is not installed", "pip install detzoo-detr"),
        (
            "rt_detr.coco",
            "comes from detzoo-detr, which is not installed",
            "pip install detzoo-detr",
        ),
        (
            "detr/anything",
            "comes from detzoo-detr, which is not installed",
            "pip install detzoo-detr",
        ),
        (
            "broken_nano",
            "detzoo-broken 1.0, which is quarantined: its import failed.",
            "pip install --upgrade detzoo-broken",
        ),
        (
            "hidden_one",
            "the plugin 'off', which is switched off by ZOO_PLUGINS",
            "unset ZOO_PLUGINS",
        ),
        ("off/hidden_one", "switched off", "Add off to ZOO_PLUGINS"),
        ("user/waiting", "the plugin 'off', which is switched off", "Add off to ZOO_PLUGINS"),
        (
            "lost_one",
            "comes from the plugin 'nowhere', which is not installed",
            "once you know whose it is",
        ),
    ],
)
def test_a_name_whose_plugin_is_absent_is_told_why(
    known: Catalogue, name: str, case: str, fix: str
) -> None:
    error = error_of(known, name)
    assert case in error.case
    assert fix in error.fix


def test_an_unknown_plugin_explains_nothing_but_what_was_skipped_is_said(known: Catalogue) -> None:
    case = (
        "No loaded plugin or registry file has one. The plugin 'broken', which may have it, is "
        "quarantined; zoo plugins says why."
    )
    assert error_of(known, "unheard/of").case == case


def test_only_aliases_that_lead_somewhere_are_listed(known: Catalogue) -> None:
    assert known.aliases == {
        "faster": "faster_fpn",
        "mine": "my_yolo",
        "newest": "yolo_nano.v2",
        "quick": "tv/shared",
        "small": "yolo_nano",
    }
    bare = Catalogue([], [])
    assert (bare.aliases, bare.names(), bare.mirrors, bare.plugins) == ({}, [], {}, ())


def test_an_alias_of_an_absent_plugins_model_is_told_why(write: Write) -> None:
    core = read_registry_file(write(CORE_FILE), owner=CORE)
    error = error_of(Catalogue([core], [plugin("yolo", "switched off")]), "small")
    assert "switched off" in error.case


def test_a_models_own_name_is_not_given_the_tag_of_an_alias_that_leads_nowhere(
    write: Write,
) -> None:
    core = read_registry_file(write(CORE_FILE, "core.yaml"), owner=CORE)
    own = read_registry_file(
        write("schema: 2\ncards: {newest: {architecture: faster, labels: coco91}}", "tv.yaml"),
        owner="tv",
    )
    known = Catalogue([core, own], [plugin("tv", "loaded", own), plugin("yolo", "switched off")])
    assert (known.resolve("newest").entry.qualified, known.resolve("newest").tag) == (
        "tv/newest",
        None,
    )


def test_mirrors_come_from_the_users_files(known: Catalogue) -> None:
    assert known.mirrors == {"https://e.org/": "http://127.0.0.1/"}


def test_plugins_are_told_in_order(known: Catalogue) -> None:
    assert [info.name for info in known.plugins] == ["broken", "off", "tv", "yolo"]
