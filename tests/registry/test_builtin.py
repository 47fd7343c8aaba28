"""The core's own plugin uses the hooks that every plugin has."""

from zoo.registry import catalogue


def test_the_core_registers_composition_and_the_formats_of_data_sets() -> None:
    known = catalogue()
    assert known.has("architectures", "zoo/compose")
    assert known.has("datasets", "zoo/coco")
    assert next(info for info in known.plugins if info.name == "zoo").status == "loaded"


def test_what_it_registers_can_be_imported() -> None:
    assert callable(catalogue().builder("architectures", "zoo/compose"))
    assert callable(catalogue().builder("datasets", "zoo/coco"))
