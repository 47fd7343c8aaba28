"""The process's catalogue: read once, with the user's files, and read again when told to."""

import os
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from zoo.errors import CardError, NameAmbiguous, NameNotFound, SourceError
from zoo.registry import PluginWarning, add, catalogue, reload, shared_catalogue

Give = Callable[..., None]
Write = Callable[..., Path]

ACME = """
    from zoo import hookimpl


    @hookimpl
    def register_architectures(register):
        register("net", print)


    @hookimpl
    def register_cards(register):
        register({"schema": 2, "cards": {"acme_nano": {"architecture": "net", "labels": ["a"]}}})
"""
OWN = "schema: 2\ncards:\n  {name}: {{architecture: acme/net, labels: coco80}}\n"


@pytest.fixture(autouse=True)
def _acme(give_plugin: Give, monkeypatch: pytest.MonkeyPatch) -> None:
    give_plugin("acme", ACME)
    monkeypatch.setenv("ZOO_PLUGINS", "acme")
    monkeypatch.setattr(shared_catalogue.Shared, "added", ())


def use(monkeypatch: pytest.MonkeyPatch, *paths: Path) -> None:
    monkeypatch.setenv("ZOO_REGISTRY", os.pathsep.join(map(str, paths)))


def test_the_catalogue_is_read_once() -> None:
    assert catalogue() is catalogue()


def test_threads_share_one_catalogue() -> None:
    with ThreadPoolExecutor(8) as pool:
        assert len({id(one) for one in pool.map(lambda _: catalogue(), range(32))}) == 1


def test_reload_sees_what_has_changed(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    assert catalogue().names() == ["acme_nano"]
    use(monkeypatch, write(OWN.format(name="mine")))
    assert catalogue().names() == ["acme_nano"]
    reload()
    assert catalogue().names() == ["acme_nano", "mine"]


def test_several_user_files_are_read(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    use(
        monkeypatch,
        write(OWN.format(name="one"), "one.yaml"),
        write(OWN.format(name="two"), "two.yaml"),
    )
    assert catalogue().names("user/*") == ["one", "two"]


def test_add_adds_a_file(write: Write) -> None:
    assert catalogue().names() == ["acme_nano"]
    add(write(OWN.format(name="mine")))
    assert catalogue().resolve("mine").entry.plugin == "user"


def test_a_file_named_twice_is_read_once(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(OWN.format(name="mine"))
    use(monkeypatch, path, path)
    add(path)
    add(str(path))
    assert catalogue().names("user/*") == ["mine"]


def test_a_broken_file_is_an_error_and_is_not_added(write: Write) -> None:
    with pytest.raises(CardError, match="Line 1, field 'cards'"):
        add(write("cards: 7\nschema: 2\n"))
    assert catalogue().names() == ["acme_nano"]


def test_a_broken_file_of_the_environment_is_an_error_every_time(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch, write("cards: 7\nschema: 2\n"))
    for _ in range(2):
        with pytest.raises(CardError, match=r"cards\.yaml"):
            catalogue()


def test_a_file_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    use(monkeypatch, tmp_path / "nowhere.yaml")
    with pytest.raises(CardError, match=r"nowhere\.yaml.*\nIt can't be read: No such file"):
        catalogue()


def test_a_home_that_does_not_exist_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZOO_REGISTRY", "~no-such-user-of-this-machine/cards.yaml")
    with pytest.raises(CardError, match=r"no-such-user-of-this-machine.*\nIt can't be read"):
        catalogue()


def test_a_name_in_two_user_files_is_an_error_that_names_both(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(
        monkeypatch,
        write(OWN.format(name="mine"), "one.yaml"),
        write(OWN.format(name="mine"), "two.yaml"),
    )
    with pytest.raises(
        CardError, match=r"'mine' twice: .*one\.yaml', line 3, and .*two\.yaml', line 3"
    ):
        catalogue()


def test_a_bundles_cards_are_read_like_a_users(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(
        OWN.format(name="mine") + "aliases: {own: mine, acme_nano: mine}\n", "registry.yaml"
    )
    monkeypatch.setenv("ZOO_BUNDLE", str(path.parent))
    assert catalogue().names("user/*") == ["mine"]
    assert catalogue().resolve("own").entry.qualified == "user/mine"
    use(monkeypatch, write(OWN.format(name="mine").replace("coco80", "voc20"), "own.yaml"))
    reload()
    assert catalogue().resolve("mine").entry.card.labels == "voc20"


def test_a_bundles_broken_cards_are_named(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write("schema: 2\ncards: {mine: {}}\n", "registry.yaml")
    monkeypatch.setenv("ZOO_BUNDLE", str(path.parent))
    with pytest.raises(CardError, match=str(path)):
        catalogue()


def test_a_bundle_without_cards_adds_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZOO_BUNDLE", str(tmp_path))
    assert catalogue().names() == ["acme_nano"]


def test_a_bundle_that_is_not_there_is_an_error_and_not_a_list_without_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ZOO_BUNDLE", str(tmp_path / "nowhere"))
    with pytest.raises(SourceError, match="ZOO_BUNDLE"):
        catalogue()


def test_an_extract_has_the_cards_and_aliases_that_some_models_need(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = OWN.format(name="mine") + "  other: {architecture: acme/net, labels: [x]}\n"
    use(monkeypatch, write(text + "aliases: {own: mine, small: acme_nano, unused: other}\n"))
    known = catalogue()
    assert known.extract([known.resolve("own"), known.resolve("acme_nano")]) == {
        "cards": {"mine": {"architecture": "acme/net", "labels": "coco80"}},
        "aliases": {"own": "user/mine", "small": "acme_nano"},
    }
    reload()
    use(monkeypatch)
    assert catalogue().extract([catalogue().resolve("acme_nano")]) == {}


def test_a_users_model_with_a_plugins_name_makes_the_name_ambiguous(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch, write(OWN.format(name="acme_nano")))
    assert catalogue().names() == ["acme/acme_nano", "user/acme_nano"]
    with pytest.raises(NameAmbiguous):
        catalogue().resolve("acme_nano")


ALIAS = "schema: 2\naliases:\n  {alias}: {target}\n"


def test_a_users_alias_may_stand_for_a_plugins_model(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch, write(ALIAS.format(alias="mine", target="acme_nano")))
    assert catalogue().aliases == {"mine": "acme_nano"}
    assert catalogue().resolve("mine").entry.qualified == "acme/acme_nano"


@pytest.mark.parametrize(
    ("alias", "target", "says"),
    [
        ("acme_nano", "acme/acme_nano", "hides the model 'acme_nano'"),
        ("mine", "acme_nano.coco", "no weights tagged 'coco'"),
    ],
)
def test_an_alias_that_can_not_work_is_an_error(
    write: Write, monkeypatch: pytest.MonkeyPatch, alias: str, target: str, says: str
) -> None:
    use(monkeypatch, write(ALIAS.format(alias=alias, target=target)))
    with pytest.raises(CardError, match=f"Line 3, field 'aliases.{alias}': .*{says}"):
        catalogue()


def test_an_alias_of_nothing_is_an_error_once_all_plugins_are_there(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch, write(ALIAS.format(alias="mine", target="acme_nana")))
    assert "mine" not in catalogue().aliases  # others are switched off, and it may be one of theirs
    monkeypatch.delenv("ZOO_PLUGINS")
    reload()
    with pytest.raises(
        CardError, match=r"Line 3, field 'aliases\.mine': No model is named 'acme_nana'"
    ):
        catalogue()


@pytest.mark.parametrize(
    ("first", "second", "says"),
    [
        (("a", "b"), ("b", "a"), r"field 'aliases\.a': 'b' is itself an alias"),
        (
            ("small", "acme_nano"),
            ("mine", "small"),
            r"field 'aliases\.mine': 'small' is itself.*it stands for: acme_nano",
        ),
    ],
    ids=["of_each_other", "of_one_whose_model_is_told"],
)
def test_an_alias_of_an_alias_is_an_error(
    write: Write,
    monkeypatch: pytest.MonkeyPatch,
    first: tuple[str, str],
    second: tuple[str, str],
    says: str,
) -> None:
    use(
        monkeypatch,
        *(
            write(ALIAS.format(alias=alias, target=target), f"{alias}.yaml")
            for alias, target in (first, second)
        ),
    )
    with pytest.raises(CardError, match=rf"(?s)Line 3, {says}"):
        catalogue()


def test_a_broken_plugin_is_one_warning_and_the_rest_works(
    give_plugin: Give, monkeypatch: pytest.MonkeyPatch
) -> None:
    give_plugin("broken", "1 / 0")
    monkeypatch.setenv("ZOO_PLUGINS", "acme,broken")
    with pytest.warns(PluginWarning) as caught:
        found = catalogue()
    [warning] = caught
    assert (
        "'broken' of detzoo-broken 1.0 (detzoo_broken): its import failed with ZeroDivisionError"
        in str(warning.message)
    )
    assert warning.filename == __file__
    assert found.names() == ["acme_nano"]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert catalogue() is found


def test_a_hook_that_asks_for_the_catalogue_is_refused(
    give_plugin: Give, monkeypatch: pytest.MonkeyPatch
) -> None:
    give_plugin(
        "loop",
        "import zoo\n\n\n@zoo.hookimpl\ndef register_cards(register):\n    zoo.catalogue()\n",
    )
    monkeypatch.setenv("ZOO_PLUGINS", "acme,loop")
    with pytest.warns(PluginWarning, match="A plugin's hook asked for the catalogue"):
        assert catalogue().names() == ["acme_nano"]


def test_the_cores_file_is_found_beside_the_package() -> None:
    assert shared_catalogue.core_file().name == "registry.yaml"
    assert shared_catalogue.core_file().is_file()


def test_an_architecture_that_its_plugin_does_not_have_is_an_error(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(
        monkeypatch, write("schema: 2\ncards:\n  mine: {architecture: acme/nett, labels: coco80}\n")
    )
    with pytest.raises(
        CardError,
        match=r"Line 3, field 'cards\.mine\.architecture': .*'acme/nett'(.|\n)*'acme/net'",
    ):
        catalogue()


@pytest.mark.parametrize("name", ["mine", "acme_nano"])
def test_a_card_of_a_plugin_that_is_not_there_is_left_out(
    name: str, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(
        monkeypatch,
        write(f"schema: 2\ncards:\n  {name}: {{architecture: elsewhere/net, labels: coco80}}\n"),
    )
    assert catalogue().names() == ["acme_nano"]


def test_a_successor_of_nothing_is_an_error_once_all_plugins_are_there(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    card = (
        "schema: 2\ncards:\n  mine: {architecture: acme/net, labels: coco80, successor: "
        "acme_nana}\n"
    )
    use(monkeypatch, write(card))
    assert "mine" in catalogue().names()  # others are switched off, and it may be one of theirs
    monkeypatch.delenv("ZOO_PLUGINS")
    reload()
    with pytest.raises(
        CardError, match=r"Line 3, field 'cards\.mine\.successor': No model is named 'acme_nana'"
    ):
        catalogue()


def test_a_successor_may_be_a_model_of_a_plugin(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ZOO_PLUGINS")
    use(
        monkeypatch,
        write(
            "schema: 2\ncards:\n  mine: {architecture: acme/net, labels: coco80, successor: "
            "acme/acme_nano}\n"
        ),
    )
    assert "mine" in catalogue().names()


@pytest.mark.parametrize(
    "distribution",
    ["evil --index-url http://example.org", "a;rm -rf .", "-r x", "", "a b", "a\\nb"],
)
def test_what_is_told_to_install_is_the_name_of_a_distribution(
    write: Write, monkeypatch: pytest.MonkeyPatch, distribution: str
) -> None:
    use(
        monkeypatch,
        write(
            f'schema: 2\nknown_plugins: {{acme: {{distribution: "{distribution}", names: '
            f'["acme_*"]}}}}'
        ),
    )
    with pytest.raises(
        CardError, match=r"known_plugins\.acme\.distribution.* is not the name of a distribution"
    ):
        catalogue()


def test_nobody_says_what_to_install_for_a_plugin_that_the_core_knows(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(
        monkeypatch,
        write("schema: 2\nknown_plugins: {yolox: {distribution: evil, names: [yolox_nano]}}"),
    )
    monkeypatch.setenv("ZOO_PLUGINS", "")
    monkeypatch.setattr("zoo.registry.plugins.GROUP", "no_such_group")
    with pytest.raises(NameNotFound) as caught:
        catalogue().resolve("yolox_nano")
    assert caught.value.fix == "pip install detzoo"
