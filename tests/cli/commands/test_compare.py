"""`zoo compare` from the shell: what it prints and refuses."""

import json
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from zoo.evaluate import Comparison, Report, compare
from zoo.evaluate.intervals import Difference, Interval

Shell = Callable[..., Any]


def test_compare_says_who_is_ahead_and_whether_that_is_chance(
    shell: Shell, data: str, tmp_path: Path, results: Callable[..., Path]
) -> None:
    files = [str(results("off.json", off=4)), str(results("right.json"))]
    shell("evaluate", *files, "--data", data, "--json", str(tmp_path / "reports"))
    reports = [str(tmp_path / "reports" / name) for name in ("off.json", "right.json")]
    done = shell("compare", *reports)
    assert done.out.startswith("A: off\nB: right\n")
    numbers = [
        line.split()[0]
        for line in done.out.splitlines()
        if line.startswith("A") and ":" not in line
    ]
    assert numbers[:3] == ["AP", "AP50", "AP75"]
    assert "B is ahead by" in done.out
    assert shell("compare", *files, "--data", data).out == done.out


def test_compare_writes_json(shell: Shell, data: str, results: Callable[..., Path]) -> None:
    files = [str(results("off.json", off=4)), str(results("right.json"))]
    found = json.loads(shell("compare", *files, "--data", data, "--json").out)
    assert (found["a"], found["b"]) == ("off", "right")
    assert found["differences"]["AP"]["difference"] > 0


def test_compare_needs_no_data_for_two_reports(
    shell: Shell, data: str, tmp_path: Path, results: Callable[..., Path]
) -> None:
    files = [str(results("off.json", off=4)), str(results("right.json"))]
    shell("evaluate", *files, "--data", data, "--json", str(tmp_path / "reports"))
    reports = [str(tmp_path / "reports" / name) for name in ("off.json", "right.json")]
    done = shell("compare", *reports, "--data", "coco:nothing.json")
    assert done.code == 2
    assert "Both are reports" in done.err


def test_a_folder_called_as_a_model_hides_no_model(
    shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "yolox_pico").mkdir()
    (tmp_path / "reports").mkdir()
    assert "Add --data" in shell("compare", "yolox_pico", "retinanet_pico").err
    assert "It is a folder" in shell("compare", "reports", "yolox_pico").err


def test_compare_needs_the_data_for_what_is_no_report(
    shell: Shell, results: Callable[..., Path]
) -> None:
    done = shell("compare", str(results("off.json")), str(results("right.json")))
    assert done.code == 2
    assert "Add --data coco:FILE" in done.err


def test_no_difference_is_minus_0(
    shell: Shell, data: str, results: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    small = Difference(0.5, 0.4999, -0.0001, Interval(-0.0002, 0.0003), 0.5)

    def almost_level(a: Report, b: Report) -> Comparison:
        found = compare(a, b)
        return replace(found, differences={**found.differences, "AP": small})

    monkeypatch.setattr(sys.modules["zoo.evaluate.compare"], "compare", almost_level)
    files = [str(results("off.json", off=4)), str(results("right.json"))]
    [row] = [
        line
        for line in shell("compare", *files, "--data", data).out.splitlines()
        if line.startswith("AP ")
    ]
    assert row.split()[1:] == ["50.0", "50.0", "0.0", "0.0", "to", "0.0", "0.500"]


def test_compare_says_that_a_report_is_cut_short(
    shell: Shell, data: str, tmp_path: Path, results: Callable[..., Path]
) -> None:
    report, cut = tmp_path / "reports" / "right.json", tmp_path / "cut.json"
    words = ("--data", data, "--json", str(report.parent))
    shell("evaluate", str(results("right.json")), *words)
    whole = report.read_bytes()
    for length, case in ((len(whole) - 2, "cut short"), (70, "cut short"), (0, "empty")):
        cut.write_bytes(whole[:length])
        done = shell("compare", str(report), str(cut))
        assert done.code == 10
        assert f"The report {cut} was read.\nIt is {case}" in done.err


def test_compare_says_that_a_file_is_not_there(shell: Shell, results: Callable[..., Path]) -> None:
    done = shell("compare", "nope.json", str(results("right.json")))
    assert done.code == 10
    assert "'nope.json' can't be compared.\nThere is no such file." in done.err


def test_compare_tells_two_reports_of_one_model_apart_and_says_where_they_are_level(
    shell: Shell, data: str, tmp_path: Path, results: Callable[..., Path]
) -> None:
    shell(
        "evaluate",
        str(results("off.json", off=4)),
        "--data",
        data,
        "--json",
        str(tmp_path / "reports"),
    )
    again = (tmp_path / "reports" / "off.json").rename(tmp_path / "first.json")
    (tmp_path / "second.json").write_bytes(again.read_bytes())
    out = shell("compare", str(again), str(tmp_path / "second.json")).out
    assert out.startswith(f"A: off ({again})\nB: off ({tmp_path / 'second.json'})\n")
    assert "A and B have the same AP." in out
    assert "ahead" not in out


def test_compare_says_that_a_protocol_is_not_known(
    shell: Shell, data: str, results: Callable[..., Path]
) -> None:
    files = [str(results("off.json", off=4)), str(results("right.json"))]
    assert "The protocols of A and B are not known:" in shell("compare", *files, "--data", data).out


def test_what_is_no_report_is_not_compared_and_says_what_it_is(
    shell: Shell, data: str, tmp_path: Path, results: Callable[..., Path]
) -> None:
    to = tmp_path / "reports"
    shell("evaluate", str(results("off.json", off=4)), "--data", data, "--json", str(to))
    report = to / "off.json"
    assert "It is a folder." in shell("compare", str(report), str(to)).err
    assert "goes to zoo compare" in shell("evaluate", str(report), "--data", data).err
    edited = tmp_path / "edited.json"
    edited.write_text(report.read_text().replace('"numbers":{"AP":0.', '"numbers":{"AP":0.9', 1))
    assert "Report B (off on street) can't be compared.\nIt contradicts itself in 'numbers.AP'" in (
        shell("compare", str(report), str(edited)).err
    )
