"""`zoo evaluate` from the shell: what it prints, writes and refuses."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from zoo.data import Dataset
from zoo.evaluate import Report, predict

Shell = Callable[..., Any]


def test_evaluate_prints_a_table_in_percent_with_intervals(
    shell: Shell, data: str, results: Callable[..., Path]
) -> None:
    done = shell("evaluate", str(results("right.json")), "--data", data)
    first, _, header, row = done.out.splitlines()[:4]
    assert first == "street: 6 images, 12 boxes. Protocol: unknown, these results do not say."
    assert header.split()[:3] == ["model", "AP", "interval"]
    assert row.split()[:5] == ["right", "100.0", "100.0", "to", "100.0"]
    assert done.code == 0


def test_evaluate_says_which_classes_a_model_does_not_know(
    shell: Shell, data: str, nano: str, tmp_path: Path
) -> None:
    done = shell(
        "evaluate",
        "yolox_nano",
        "--data",
        data,
        "--weights",
        nano,
        "--to",
        str(tmp_path),
        "--resamples",
        "0",
    )
    assert (
        "yolox_nano does not know 1 of the data set's 3 classes, and scores 0 there: unicorn."
        in done.out
    )
    assert "classes that the data set does not have were left out" in done.out


def test_a_font_is_for_plots(
    shell: Shell, data: str, results: Callable[..., Path], tmp_path: Path
) -> None:
    done = shell("evaluate", str(results("right.json")), "--data", data, "--font", "a.ttf")
    assert (done.code, "Add --plots" in done.err) == (2, True)
    words = (
        "--plots",
        str(tmp_path / "plots"),
        "--font",
        str(tmp_path / "a.ttf"),
        "--resamples",
        "0",
    )
    done = shell("evaluate", str(results("right.json")), "--data", data, *words)
    assert (done.code, "No font can be read there" in done.err) == (2, True)


def test_few_resamples_are_told_and_one_is_refused(
    shell: Shell, data: str, results: Callable[..., Path]
) -> None:
    file = str(results("right.json"))
    assert (
        "5 resamples make no interval worth the name"
        in shell("evaluate", file, "--data", data, "--resamples", "5").out
    )
    assert (
        "resamples=1 can't be used"
        in shell("evaluate", file, "--data", data, "--resamples", "1").err
    )


def test_evaluate_puts_two_protocols_in_two_tables(
    shell: Shell, data: str, nano: str, tmp_path: Path, results: Callable[..., Path]
) -> None:
    options = ("--data", data, "--weights", nano, "--to", str(tmp_path), "--resamples", "0")
    done = shell("evaluate", "yolox_nano", str(results("right.json")), *options)
    assert done.out.count("model ") == 2
    assert "Protocol: uniform." in done.out


def test_evaluate_shows_classes_best_first(
    shell: Shell, data: str, results: Callable[..., Path]
) -> None:
    done = shell(
        "evaluate", str(results("off.json", off=4)), "--data", data, "--classes", "--resamples", "0"
    )
    names = [
        line.split()[0]
        for line in done.out.splitlines()
        if line.startswith(("person ", "dog ", "unicorn "))
    ]
    assert sorted(names) == ["dog", "person", "unicorn"]


def test_evaluate_writes_one_report_to_a_file_and_several_to_a_folder(
    shell: Shell, data: str, tmp_path: Path, results: Callable[..., Path]
) -> None:
    right, off = str(results("right.json")), str(results("off.json", off=4))
    shell(
        "evaluate",
        right,
        "--data",
        data,
        "--json",
        str(tmp_path / "new" / "report.json"),
        "--resamples",
        "0",
    )
    assert Report.read(tmp_path / "new" / "report.json").ap == pytest.approx(1)
    shell(
        "evaluate",
        right,
        off,
        "--data",
        data,
        "--json",
        str(tmp_path / "reports"),
        "--resamples",
        "0",
    )
    assert sorted(file.name for file in (tmp_path / "reports").iterdir()) == [
        "off.json",
        "right.json",
    ]
    refused = shell("evaluate", right, off, "--data", data, "--json", "both.json")
    assert refused.code == 2
    assert "There are 2 reports, and that is one file." in refused.err


def test_files_of_one_name_are_rows_and_reports_of_their_own(
    shell: Shell, data: str, tmp_path: Path, results: Callable[..., Path]
) -> None:
    files = []
    for folder, off in (("a", 0.0), ("b", 4.0)):
        (tmp_path / folder).mkdir()
        files.append(str(results("x.json", off=off).rename(tmp_path / folder / "x.json")))
    done = shell(
        "evaluate", *files, "--data", data, "--resamples", "0", "--json", str(tmp_path / "reports")
    )
    rows = {
        line.split()[0]: line.split()[1]
        for line in done.out.splitlines()
        if line.startswith(("a/", "b/"))
    }
    assert list(rows) == ["a/x.json", "b/x.json"]
    assert rows["a/x.json"] == "100.0" != rows["b/x.json"]
    assert sorted(file.name for file in (tmp_path / "reports").iterdir()) == [
        "a-x.json",
        "b-x.json",
    ]


def test_one_model_under_two_protocols_is_two_rows(
    shell: Shell, data: str, nano: str, tmp_path: Path
) -> None:
    options = ("--data", data, "--weights", nano, "--to", str(tmp_path))
    for protocol in ("uniform", "native"):
        shell("predict", "yolox_nano", *options, "--protocol", protocol)
    files = [str(file) for file in sorted(tmp_path.glob("*.parquet"))]
    done = shell(
        "evaluate", *files, "--data", data, "--resamples", "0", "--json", str(tmp_path / "reports")
    )
    assert done.out.count("Protocol: ") == 2
    assert (
        sum(
            line.startswith("yolox_nano@street@") and "know" not in line
            for line in done.out.splitlines()
        )
        >= 2
    )
    assert len(list((tmp_path / "reports").iterdir())) == 2


def test_options_of_a_run_are_refused_where_there_are_only_files(
    shell: Shell, data: str, results: Callable[..., Path]
) -> None:
    file = str(results("right.json"))
    for option in (
        ("--protocol", "uniform"),
        ("--weights", "random"),
        ("--device", "cpu"),
        ("--batch-size", "2"),
        ("--to", "x"),
    ):
        done = shell("evaluate", file, "--data", data, *option)
        assert done.code == 2
        assert f"can't be measured with {option[0]}" in done.err


def test_what_looks_wrong_is_said_below_the_table(
    shell: Shell, data: str, results: Callable[..., Path]
) -> None:
    done = shell("evaluate", str(results("away.json", off=900)), "--data", data, "--resamples", "0")
    assert "away: All 12 detections lie wholly outside of the image" in done.out
    assert done.code == 0


def test_reports_stay_in_their_folder_whatever_a_model_is_called(
    shell: Shell, data: str, street: Dataset, nano: str, tmp_path: Path
) -> None:
    seen = predict("yolox_nano", data=street, weights=nano, to=tmp_path / "runs")
    replace(seen, provenance=seen.provenance | {"model": "../../x"}).write(
        tmp_path / "seen.parquet"
    )
    out = tmp_path / "reports"
    done = shell(
        "evaluate",
        str(tmp_path / "seen.parquet"),
        "--data",
        data,
        "--resamples",
        "0",
        "--json",
        str(out),
    )
    assert [file.name for file in out.iterdir()] == ["x.json"]
    assert done.code == 0


def test_plots_go_into_a_folder(shell: Shell, data: str, results: Callable[..., Path]) -> None:
    file = str(results("right.json"))
    done = shell("evaluate", file, "--data", data, "--plots", file)
    assert (done.code, "That is a file" in done.err) == (2, True)


def test_evaluate_writes_json_lines_to_standard_output(
    shell: Shell, data: str, results: Callable[..., Path]
) -> None:
    files = [str(results("right.json")), str(results("off.json", off=4))]
    done = shell("evaluate", *files, "--data", data, "--json", "-", "--resamples", "0")
    assert [Report.from_json(line).measured.images for line in done.out.splitlines()] == [6, 6]


def test_a_file_in_place_of_the_folder_of_reports_is_said_before_the_work(
    shell: Shell, data: str, tmp_path: Path
) -> None:
    (tmp_path / "reports").write_text("mine")
    where = str(tmp_path / "reports")
    done = shell("evaluate", "no_such_model", "--data", data, "--json", where)
    assert done.code == 2
    assert "That is a file" in done.err


def test_one_model_s_error_does_not_stop_the_others(
    shell: Shell, data: str, results: Callable[..., Path]
) -> None:
    done = shell(
        "evaluate", "no_such_model", str(results("right.json")), "--data", data, "--resamples", "0"
    )
    assert done.code == 1
    assert "Error: No model named 'no_such_model'." in done.err
    assert "right" in done.out


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (("evaluate", "no_such_model"), 3, "No model named 'no_such_model'"),
        (("evaluate", "nothing.parquet"), 10, "nothing.parquet can't be read"),
        (("evaluate", "yolox_nano", "--protocol", "fair"), 2, "fair"),
        (("predict", "no_such_model"), 3, "No model named 'no_such_model'"),
    ],
)
def test_mistakes_are_sentences_with_exit_codes(
    shell: Shell, data: str, words: tuple[str, ...], code: int, message: str
) -> None:
    done = shell(*words, "--data", data)
    assert (done.code, message in done.err) == (code, True)


def test_a_data_set_that_is_not_there_is_a_sentence(shell: Shell) -> None:
    done = shell("evaluate", "yolox_nano", "--data", "coco:nowhere.json")
    assert done.code == 10
    assert "'nowhere.json' does not exist" in done.err


def test_evaluate_draws_plots(
    shell: Shell, data: str, tmp_path: Path, results: Callable[..., Path]
) -> None:
    shell(
        "evaluate",
        str(results("off.json", off=4)),
        "--data",
        data,
        "--plots",
        str(tmp_path / "plots"),
    )
    names = {"curves.png", "classes.png", "mistakes.png", "reliability.png", "confusion.png"}
    assert {file.name for file in (tmp_path / "plots" / "off").iterdir()} == names


@pytest.mark.parametrize("to", ["off.json", "."])
def test_a_file_that_is_no_report_is_never_replaced_by_one(
    shell: Shell,
    data: str,
    tmp_path: Path,
    results: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
    to: str,
) -> None:
    before = (list_ := results("off.json", off=4)).read_bytes()
    monkeypatch.chdir(list_.parent)
    answer = shell("evaluate", str(list_), "--data", data, "--json", to)
    assert answer.code == 2
    assert "That file exists and is not a report: it would be lost." in answer.err
    assert list_.read_bytes() == before


def test_a_report_replaces_its_own_older_one_and_lies_beside_that_of_other_weights(
    shell: Shell, data: str, tmp_path: Path, results: Callable[..., Path]
) -> None:
    to = tmp_path / "reports"
    typed = ("evaluate", str(results("off.json", off=4)), "--data", data, "--json", str(to))
    shell(*typed)
    shell(*typed)
    assert [one.name for one in to.iterdir()] == ["off.json"]
    Report.read(to / "off.json").with_provenance({"weights_sha256": "0" * 64}).write(
        to / "off.json"
    )
    assert f"Report: {to / 'off-2.json'}" in shell(*typed).err


def test_an_option_that_takes_one_value_is_not_given_twice(shell: Shell, data: str) -> None:
    answer = shell("evaluate", "yolox_nano", "--data", "coco:other.json", "--data", data)
    assert answer.code == 2
    assert "--data was given.\nIt is given more than once, and takes one value." in answer.err
