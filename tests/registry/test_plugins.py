"""Finding plugins: what is broken is quarantined and named, and everything else works."""

import sys
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

import pytest

from zoo.registry.plugins import Plugin, complaints, find_plugins, selected_names
from zoo.registry.registrations import Contribution
from zoo.registry.registry_file import CORE, RegistryFile, read_registry_file, registry_file_of

Give = Callable[..., None]
Write = Callable[..., Path]

EMPTY = registry_file_of({"schema": 2}, Path("registry.yaml"), owner=CORE)
GOOD = """
    from zoo import hookimpl

    CARDS = {"schema": 2, "cards": {"acme_nano": {"architecture": "net", "labels": ["a"]}}}


    @hookimpl
    def register_cards(register):
        register(CARDS)


    @hookimpl
    def register_architectures(register):
        register("net", "acme_models:build")
"""


def found(name: str, core: RegistryFile = EMPTY) -> Plugin:
    return next(plugin for plugin in find_plugins(core) if plugin.info.name == name)


def hook(body: str, *, name: str = "register_cards", parameter: str = "register") -> str:
    return (
        f"import sys\nfrom zoo import hookimpl\n\n\n@hookimpl\ndef {name}({parameter}):\n    "
        f"{dedent(body).strip()}\n"
    )


def test_a_plugin_hands_over_cards_and_builders(give_plugin: Give) -> None:
    give_plugin("acme", GOOD, version="2.5")
    info = found("acme").info
    assert (info.distribution, info.version, info.entry, info.status) == (
        "detzoo-acme",
        "2.5",
        "detzoo_acme",
        "loaded",
    )
    assert info.contributes == {"cards": 1, "architectures": 1}
    assert info.reason == ""
    assert info.seconds > 0
    assert not info.imports_torch
    assert "acme_models" not in sys.modules


def test_a_card_file_is_looked_for_beside_the_module(give_plugin: Give, tmp_path: Path) -> None:
    give_plugin("acme", hook("register('more/cards.yaml')"))
    folder = tmp_path / "site" / "more"
    folder.mkdir()
    (folder / "cards.yaml").write_text("schema: 2\ncards: {x: {architecture: net, labels: coco80}}")
    assert found("acme").info.contributes == {"cards": 1}


def test_the_bundled_plugins_are_found(give_plugin: Give) -> None:
    assert {"torchvision", "timm", "yolox"} <= {plugin.info.name for plugin in find_plugins(EMPTY)}


def test_a_plugin_that_hands_over_nothing_is_loaded(give_plugin: Give) -> None:
    give_plugin("acme", "")
    acme = found("acme")
    assert (acme.info.status, acme.info.contributes) == ("loaded", {})
    [text] = complaints([acme])
    assert text == (
        "The plugin 'acme' of detzoo-acme 1.0 brings nothing: its module has no function "
        "register_… marked with @zoo.hookimpl, "
        "or none registers anything."
    )


def test_a_plugin_whose_hooks_register_nothing_is_remarked_on(give_plugin: Give) -> None:
    give_plugin("acme", hook("pass"))
    assert "brings nothing" in found("acme").info.remarks[0]


CORE_FILE = """
    schema: 2
    aliases: {nano: yolox_nano}
    cards: {yolox_nano: {architecture: yolox/yolox, labels: coco80}}
"""


def alias(name: str, *more: str) -> str:
    cards = {"acme_s": {"architecture": "net", "labels": ["a"]}}
    calls = [{"schema": 2, "aliases": {name: "acme_s"}, "cards": cards}, *map(eval, more)]
    return hook("\n    ".join(f"register({call!r})" for call in calls))


@pytest.mark.parametrize(
    ("name", "whose"),
    [
        ("yolox_nano", "the model 'yolox/yolox_nano' of detzoo"),
        ("nano", "detzoo's alias for 'yolox/yolox_nano'"),
    ],
)
def test_an_alias_does_not_take_a_built_in_name(
    give_plugin: Give, write: Write, name: str, whose: str
) -> None:
    core = read_registry_file(write(CORE_FILE), owner=CORE)
    give_plugin("acme", alias(name))
    info = found("acme", core).info
    assert info.status == "quarantined"
    assert (
        f"It has the alias '{name}' for 'acme/acme_s', which is the name of {whose}." in info.reason
    )


def test_an_alias_of_a_name_of_its_own_is_taken(give_plugin: Give, write: Write) -> None:
    give_plugin("acme", alias("mine"))
    assert found("acme", read_registry_file(write(CORE_FILE), owner=CORE)).info.status == "loaded"


def test_an_alias_and_a_model_of_one_name_are_both_named(give_plugin: Give) -> None:
    first = "{'schema': 2, 'cards': {'mine': {'architecture': 'net', 'labels': ['a']}}}"
    give_plugin(
        "acme", hook(f"register({first})\n    {alias('mine').partition('    ')[2].strip()}")
    )
    assert (
        "It has the alias 'mine' for 'acme/acme_s', and a model of that name: '"
        in found("acme").info.reason
    )


def test_cards_registered_one_by_one_cost_what_they_cost_at_once(give_plugin: Give) -> None:
    def calls(count: int) -> int:
        contribution, made = Contribution("acme", Path("acme.py")), 0

        def count_call(*_: object) -> None:
            nonlocal made
            made += 1

        sys.setprofile(count_call)
        try:
            for number in range(count):
                card = {"architecture": "net", "labels": ["a"]}
                contribution.add_cards({"schema": 2, "cards": {f"m{number}": card}})
        finally:
            sys.setprofile(None)
        return made

    calls(10)
    assert calls(400) < 4.5 * calls(100)


def head(call: str) -> str:
    return hook(call, name="register_heads")


CARD_X = "register({'schema': 2, 'cards': {'x': {'architecture': 'net', 'labels': ['a']}}})"
BROKEN = {
    "an import that fails": (
        "import not_there_at_all",
        "ModuleNotFoundError: No module named 'not_there_at_all'",
    ),
    "a syntax error": ("def broken(:\n    pass", "its import failed with SyntaxError"),
    "an exit while importing": ("import sys\nsys.exit('bye')", "its import called sys.exit('bye')"),
    "an exit in a hook": (hook("sys.exit(3)"), "register_cards called sys.exit(3)"),
    "an exception in a hook": (hook("1 / 0"), "register_cards failed with ZeroDivisionError"),
    "a base exception in a hook": (
        hook("raise BaseException('no')"),
        "register_cards failed with BaseException: no",
    ),
    "an unknown hook": (
        hook("pass", name="register_detectors"),
        "It has the unknown hook 'register_detectors'. Did you mean",
    ),
    "a misspelt hook": (
        hook("pass", name="register_card"),
        "the unknown hook 'register_card'. Did you mean 'register_cards'",
    ),
    "a wrong argument": (
        hook("pass", parameter="registr"),
        "takes 'registr', and a hook is given 'register' alone. Write def register_cards(register)",
    ),
    "a hook without its mark": (
        "def register_cards(register):\n    pass",
        "is not marked as a hook. Put @zoo.hookimpl",
    ),
    "a name registered twice": (
        head("[register('net', build) for build in (print, 'acme.net:build')]"),
        "It registers 'net' twice among the heads: builtins:print and 'acme.net:build'.",
    ),
    "a name that can't be typed": (head("register('My Net', print)"), "It registers 'My Net'"),
    "a name that is none": (head("register(print, 'net')"), "which is not a name"),
    "a builder that is none": (
        head("register('net', 'no colon')"),
        'Pass a callable or "package.module:function"',
    ),
    "another plugin's name": (
        head("register('torchvision/net', print)"),
        "It registers 'torchvision/net'",
    ),
    "a card file that is not there": (hook("register('/no/such/cards.yaml')"), "No such file"),
    "an invalid card": (
        hook(CARD_X.replace("architecture", "arch")),
        "There is no field 'arch' here.",
    ),
    "a mirror": (
        hook("register({'schema': 2, 'mirrors': {'https://': 'http://e/'}})"),
        "Only a user's own file may redirect",
    ),
    "a card twice": (hook(f"{CARD_X}\n    {CARD_X}"), "It has the model 'x' twice"),
}


@pytest.mark.parametrize("kind", list(BROKEN))
def test_a_broken_plugin_is_quarantined_with_its_reason(give_plugin: Give, kind: str) -> None:
    source, reason = BROKEN[kind]
    give_plugin("broken", source, distribution="detzoo-broken", version="0.9")
    give_plugin("acme", GOOD)
    broken = found("broken")
    assert broken.info.status == "quarantined"
    assert reason.casefold() in broken.info.reason.casefold()
    [text] = complaints([broken])
    assert (
        text
        == f"Skipped plugin 'broken' of detzoo-broken 0.9 (detzoo_broken): {broken.info.reason}"
    )
    assert found("acme").info.status == "loaded"


def test_the_plugins_own_line_is_named_where_a_library_raises(
    give_plugin: Give, tmp_path: Path
) -> None:
    give_plugin("broken", "import json\n\ndef read():\n    return json.loads('{')\n\nread()")
    file = tmp_path / "site" / "detzoo_broken.py"
    assert found("broken").info.reason.endswith(f" ({file}, line 4)")


def test_the_line_of_a_hook_that_raises_is_named(give_plugin: Give, tmp_path: Path) -> None:
    give_plugin("broken", hook("1 / 0"))
    file = tmp_path / "site" / "detzoo_broken.py"
    line = 1 + file.read_text().splitlines().index("    1 / 0")
    reason = "register_cards failed with ZeroDivisionError: division by zero"
    assert found("broken").info.reason == f"{reason} ({file}, line {line})"


def test_an_invalid_card_file_is_named_with_line_and_field(give_plugin: Give, write: Write) -> None:
    path = write(
        "schema: 2\ncards:\n  x:\n    architecture: net\n    labels: coco80\n    parameters: many\n"
    )
    give_plugin("broken", hook(f"register({str(path)!r})"))
    reason = found("broken").info.reason
    assert f"'{path}'" in reason
    assert "Line 6, field 'cards.x.parameters'" in reason


def test_nothing_of_a_quarantined_plugin_stays(give_plugin: Give) -> None:
    give_plugin(
        "broken",
        GOOD
        + "\n\n    @hookimpl\n    def register_heads(register):\n"
        + "        raise ValueError('too late')\n",
    )
    broken = found("broken")
    assert broken.info.contributes == {}
    assert broken.contribution.registry_files == []
    assert not any(broken.contribution.builders.values())


def test_an_interrupt_is_not_swallowed(give_plugin: Give) -> None:
    give_plugin("acme", hook("raise KeyboardInterrupt"))
    with pytest.raises(KeyboardInterrupt):
        find_plugins(EMPTY)


def test_registering_after_the_hook_has_returned_is_refused(give_plugin: Give) -> None:
    give_plugin(
        "acme",
        hook(
            "register('net', print)\n    sys.modules[__name__].kept = register",
            name="register_heads",
        ),
    )
    acme = found("acme")
    with pytest.raises(Exception, match="after its hooks have returned"):
        sys.modules["detzoo_acme"].kept("late", print)
    assert list(acme.contribution.builders["heads"]) == ["net"]


def test_two_distributions_with_one_plugins_name_are_both_named(give_plugin: Give) -> None:
    give_plugin("acme", GOOD, distribution="detzoo-acme", version="1.0")
    give_plugin("acme", "", distribution="other-acme", version="7.0", module="other_acme")
    first, second = (plugin.info for plugin in find_plugins(EMPTY) if plugin.info.name == "acme")
    assert (first.distribution, first.status) == ("detzoo-acme", "loaded")
    assert (second.distribution, second.status) == ("other-acme", "quarantined")
    assert "detzoo-acme 1.0 has a plugin of the same name" in second.reason


def test_nobody_takes_the_place_of_a_bundled_plugin(give_plugin: Give) -> None:
    give_plugin("torchvision", "raise ValueError", distribution="aaa-first", module="aaa_first")
    first, second = (
        plugin.info for plugin in find_plugins(EMPTY) if plugin.info.name == "torchvision"
    )
    assert (first.distribution, first.status) == ("detzoo", "loaded")
    assert (second.distribution, second.status) == ("aaa-first", "quarantined")


@pytest.mark.parametrize("name", ["user", "core", "Acme", "a.b"])
def test_a_name_that_would_confuse_is_refused(give_plugin: Give, name: str) -> None:
    give_plugin(name, GOOD, module="detzoo_confusing")
    assert "can't be a plugin's name" in found(name).info.reason


def test_a_model_that_the_core_has_for_a_plugin_is_not_taken_twice(
    give_plugin: Give, write: Write
) -> None:
    core = read_registry_file(
        write("schema: 2\ncards: {acme_nano: {architecture: acme/net, labels: coco80}}"), owner=CORE
    )
    give_plugin("acme", GOOD)
    info = found("acme", core).info
    assert info.status == "quarantined"
    assert "'acme_nano' twice" in info.reason
    assert "cards.yaml', line 2" in info.reason


def test_a_plugin_that_imports_torch_is_reported(
    give_plugin: Give, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)  # so that it is put back, or away
    monkeypatch.delitem(sys.modules, "torch")
    give_plugin(
        "acme", "import sys\nimport types\nsys.modules['torch'] = types.ModuleType('torch')"
    )
    assert found("acme").info.imports_torch


def test_zoo_plugins_loads_only_those_it_names(
    give_plugin: Give, monkeypatch: pytest.MonkeyPatch
) -> None:
    give_plugin("acme", GOOD)
    give_plugin("other", "raise ValueError('must not be imported')")
    monkeypatch.setenv("ZOO_PLUGINS", " acme , torchvision,")
    status = {plugin.info.name: plugin.info.status for plugin in find_plugins(EMPTY)}
    assert status["acme"] == status["torchvision"] == "loaded"
    assert status["other"] == status["yolox"] == "switched off"
    assert list(complaints(find_plugins(EMPTY))) == []


def test_an_empty_zoo_plugins_loads_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZOO_PLUGINS", "")
    assert selected_names() == set()
    assert {plugin.info.status for plugin in find_plugins(EMPTY)} == {"switched off"}


def test_an_unknown_name_in_zoo_plugins_is_a_complaint(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZOO_PLUGINS", "yolx")
    [text] = complaints(find_plugins(EMPTY))
    assert "ZOO_PLUGINS names 'yolx'" in text
    assert "did you mean 'yolox'?" in text


def test_plugins_do_not_see_each_others_hooks(give_plugin: Give) -> None:
    wrapper = hook("raise ValueError('sabotage')\n    yield", name="register_architectures")
    give_plugin("aaa", wrapper.replace("@hookimpl", "@hookimpl(wrapper=True)"))
    give_plugin("acme", GOOD)
    assert found("aaa").info.status == "quarantined"
    assert found("acme").info.contributes == {"cards": 1, "architectures": 1}
