"""Every hook hands its things over to the catalogue, from where they are built by name."""

from collections.abc import Callable

import pytest

from zoo.registry import catalogue

Give = Callable[..., None]

PLUGIN = """
    import zoo

    def build(*arguments, **options):
        return "built", arguments, options

    @zoo.hookimpl
    def {hook}(register):
        register("thing", build)
        register("lazy", "detzoo_blob:build")
"""
HOOKS = {
    "architectures": "register_architectures",
    "backbones": "register_backbones",
    "necks": "register_necks",
    "heads": "register_heads",
    "datasets": "register_datasets",
    "engines": "register_engines",
    "trackers": "register_trackers",
}


@pytest.mark.parametrize(("kind", "hook"), list(HOOKS.items()))
def test_what_a_hook_registers_is_built_by_name(kind, hook: str, give_plugin: Give) -> None:
    give_plugin("blob", PLUGIN.format(hook=hook))
    known = catalogue()
    assert known.builder(kind, "blob/thing")(1, size=2) == ("built", (1,), {"size": 2})
    assert known.builder(kind, "blob/lazy")() == ("built", (), {})


@pytest.mark.parametrize(("kind", "hook"), list(HOOKS.items())[:4])
def test_a_whole_family_is_built_by_the_names_of_its_parts(
    kind, hook: str, give_plugin: Give
) -> None:
    give_plugin("blob", PLUGIN.format(hook=hook) + '        register("*", build)\n')
    assert catalogue().builder(kind, "blob/another")() == ("built", ("another",), {})


def test_register_cards_hands_over_cards(give_plugin: Give) -> None:
    give_plugin(
        "blob",
        """
    import zoo

    @zoo.hookimpl
    def register_architectures(register):
        register("blob", "detzoo_blob:build")

    @zoo.hookimpl
    def register_cards(register):
        register({"schema": 2, "cards": {"blob_s": {"architecture": "blob", "labels": ["spot"]}}})
""",
    )
    assert catalogue().resolve("blob_s").entry.qualified == "blob/blob_s"
