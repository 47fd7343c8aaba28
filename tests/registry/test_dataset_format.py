"""A plugin's own format of data sets: its reader, suffixes, options and writer."""

from collections.abc import Callable
from pathlib import Path

import pytest

from zoo.data import read, write
from zoo.errors import ContractError, DataError, NameNotFound
from zoo.registry import catalogue

Give = Callable[..., None]

PLUGIN = """
    from dataclasses import dataclass
    from typing import Annotated

    import msgspec
    import zoo
    from zoo.data import Dataset, GroundTruth, ImageRecord

    class Options(msgspec.Struct):
        classes: str
        every: Annotated[int, msgspec.Meta(ge=1)] = 1
        flipped: bool = False

    def read(path, options):
        boxes = {"image": ["a"], "label": [1], "box": [[0, 0, options.every, 1]]}
        truth = GroundTruth.of(["a"], boxes, label_space=options.classes.split())
        return Dataset(path.stem, (ImageRecord("a", path.parent / "a.png"),), truth)

    def write(dataset, path):
        path.write_text(dataset.name)

    def fail(path):
        raise RuntimeError("no luck")

    @zoo.hookimpl
    def register_datasets(register):
        register(
            "lines",
            "detzoo_lines:read",
            suffixes=(".lines", ".lines.gz"),
            options="detzoo_lines:Options",
            write="detzoo_lines:write",
        )
        register("wrong", lambda path: 5, suffixes=[".wrong"])
        register("failing", fail)
"""


def test_a_plugin_can_bring_a_format_of_its_own(tmp_path: Path, give_plugin: Give) -> None:
    give_plugin("lines", PLUGIN)
    data = read(f"lines:{tmp_path / 'boxes.txt'},classes=cat dog,every=3")
    assert (data.name, len(data), data.label_space.names) == ("boxes", 1, ("cat", "dog"))
    assert data.truth.xywh.tolist() == [[0, 0, 3, 1]]
    with pytest.raises(DataError, match=r"returned an int(.|\n)*defect of detzoo-lines 1"):
        read("wrong:here")
    with pytest.raises(ContractError, match=r"no luck(.|\n)*defect of detzoo-lines 1"):
        read("failing:here")


def test_a_suffix_says_the_format_and_the_longest_counts(tmp_path: Path, give_plugin: Give) -> None:
    give_plugin("lines", PLUGIN)
    for name in ("street.lines", "street.LINES.gz"):
        assert read(f"{tmp_path / name},classes=cat dog").label_space.names == ("cat", "dog")
    with pytest.raises(DataError, match="returned an int"):
        read(tmp_path / "street.wrong")


def test_two_formats_of_one_suffix_are_to_be_named(give_plugin: Give) -> None:
    give_plugin("lines", PLUGIN)
    give_plugin("other", PLUGIN.replace("detzoo_lines", "detzoo_other"))
    with pytest.raises(DataError, match=r"lines/wrong, other/wrong(.|\n)*lines/wrong:a\.wrong"):
        read("a.wrong")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("", r"needs the option 'classes'(.|\n)*,classes= and text"),
        (",classes=a b,evry=2", r"no option 'evry'(.|\n)*Did you mean 'every'"),
        (",classes=a b,every=two", "'every' is a whole number, at least 1, not 'two'"),
        (",classes=a b,every=0", "'every' is a whole number, at least 1, not '0'"),
        (",classes=a b,flipped=yes", "'flipped' is 'true' or 'false', not 'yes'"),
    ],
)
def test_a_wrong_option_is_named_with_its_type(
    tmp_path: Path, give_plugin: Give, options: str, message: str
) -> None:
    give_plugin("lines", PLUGIN)
    with pytest.raises(DataError, match=message):
        read(f"lines:{tmp_path / 'boxes.txt'}{options}")


def test_a_format_without_options_says_so(give_plugin: Give) -> None:
    give_plugin("lines", PLUGIN)
    with pytest.raises(DataError, match="'wrong' has no option 'size'; it has none"):
        read("wrong:here,size=5")


def test_a_data_set_is_written_by_a_format_s_writer(
    tmp_path: Path, give_plugin: Give, street
) -> None:
    give_plugin("lines", PLUGIN)
    write(street, tmp_path / "street.lines")
    assert (tmp_path / "street.lines").read_text() == "street"
    with pytest.raises(DataError, match="'wrong' has no writer"):
        write(street, "wrong:here")
    with pytest.raises(DataError, match="Options are for reading"):
        write(street, f"lines:{tmp_path / 'x.lines'},classes=cat")
    with pytest.raises(NameNotFound):
        write(street, "nowhere:here")


REGISTER = """
    import zoo

    @zoo.hookimpl
    def register_datasets(register):
        register({})
"""


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ('"*", print', "registers '*' among the datasets"),
        ('"a", print, suffixes=".csv"', "with the suffixes '.csv'"),
        ('"a", print, suffixes=("csv",)', "with the suffixes"),
        ('"a", print, options=dict', "with the options builtins:dict"),
        ('"a", print, options="nowhere"', "with the options 'nowhere'"),
        ('"a", print, write=5', "with the writer 5"),
    ],
)
@pytest.mark.filterwarnings("ignore:Skipped plugin")
def test_what_is_no_format_is_refused_where_it_is_registered(
    give_plugin: Give, arguments: str, reason: str
) -> None:
    give_plugin("bad", REGISTER.format(arguments))
    [info] = [info for info in catalogue().plugins if info.name == "bad"]
    assert info.status == "quarantined"
    assert reason in info.reason
