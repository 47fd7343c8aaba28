"""Entry files and boards that are meant to do harm are refused by name, quickly and whole."""

import pytest

from zoo.errors import DataError
from zoo.evaluate import Report
from zoo.leaderboard import Board, Entry
from zoo.leaderboard.entry_files import check_inside, matching_files

HOSTILE = {
    "empty": b"",
    "not JSON": b"hello",
    "a list": b"[1, 2]",
    "a number": b"1",
    "NaN": b'{"format": NaN}',
    "infinite": b'{"format": 1e999}',
    "deep": b'{"a":' * 200_000,
    "deep lists": b"[" * 200_000,
    "not text": b'{"model": "\xff\xfe"}',
    "cut short": b'{"format": 1, "model": {"name": "a',
    "null bytes": b"\0" * 1000,
    "half a pair": b'{"format": 1, "model": "\\ud800"}',
    "many fields": b"{" + b",".join(b'"f%d": 1' % number for number in range(100_000)) + b"}",
}


@pytest.mark.parametrize("content", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_entry_is_refused_by_name(content, tmp_path):
    (tmp_path / "bad.json").write_bytes(content)
    with pytest.raises(DataError, match=r"bad\.json"):
        Entry.read(tmp_path / "bad.json")


@pytest.mark.parametrize("content", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_board_is_refused_by_name(content, tmp_path):
    (tmp_path / "bad.yaml").write_bytes(content)
    with pytest.raises(DataError, match=r"bad\.yaml"):
        Board.read(tmp_path / "bad.yaml")


def test_a_file_that_is_too_large_is_not_read(tmp_path):
    with (tmp_path / "large.json").open("wb") as file:
        file.truncate(1 << 30)
    with pytest.raises(DataError, match=r"larger than 64 MB"):
        Entry.read(tmp_path / "large.json")


def test_a_folder_or_a_missing_file_is_no_entry(tmp_path):
    for path in (tmp_path, tmp_path / "none.json"):
        with pytest.raises(DataError):
            Entry.read(path)


def test_a_report_where_an_entry_belongs_is_called_one(tmp_path):
    (tmp_path / "report.json").write_text('{"numbers": {}, "measured": {}, "format": 1}')
    with pytest.raises(DataError, match="It is a report, no entry"):
        Entry.read(tmp_path / "report.json")


def test_an_entry_where_a_report_belongs_is_called_one():
    with pytest.raises(DataError, match="It is an entry of a leaderboard"):
        Report.from_json('{"model": {}, "report": {}}')


def test_a_field_in_the_wrong_place_is_not_suggested_there(tmp_path):
    (tmp_path / "board.yaml").write_text(
        "schema: 1\ntitle: t\ndata: {a: 'coco:a.json'}\nmodel: [yolox_nano]\n"
    )
    with pytest.raises(DataError, match="no field 'model' here") as said:
        Board.read(tmp_path / "board.yaml")
    assert "Did you mean 'model'" not in str(said.value)


def test_a_link_among_the_entries_of_others_that_leads_elsewhere_is_refused(tmp_path):
    (tmp_path / "theirs").mkdir()
    for name in ("secret.json", "theirs/honest.json"):
        (tmp_path / name).write_text("{}")
    (tmp_path / "theirs" / "near.json").symlink_to("honest.json")
    (tmp_path / "theirs" / "out.json").symlink_to(tmp_path / "secret.json")
    (tmp_path / "theirs" / "round.json").symlink_to("round.json")
    (tmp_path / "theirs" / "up").symlink_to("..")
    for pattern in (
        "theirs/*.json",
        "theirs/*/*.json",
        "theirs/**/*.json",
        "theirs/out.json",
        f"{tmp_path}/theirs/*.json",
    ):
        folder, paths = matching_files(tmp_path, pattern)
        assert folder == tmp_path / "theirs"
        for path in paths:
            if path.name in ("honest.json", "near.json"):
                check_inside(path, folder)
            else:
                with pytest.raises(DataError, match="leads out of its folder"):
                    check_inside(path, folder)


def test_a_board_says_where_entries_are_and_its_own_folder_is_no_pattern(tmp_path):
    home = tmp_path / "[a]" / "*"
    for folder in (home, tmp_path / "[a]" / "others"):
        folder.mkdir(parents=True)
        (folder / "[1].json").write_text("{}")
    assert matching_files(home, "*.json") == (home, [home / "[1].json"])
    assert matching_files(home, "[1].json") == (home, [home / "[1].json"])
    assert matching_files(home, "../others/*.json")[1] == [home / "../others/[1].json"]
    for pattern in ("none.json", "**.yaml", "none/*.json"):
        assert matching_files(home, pattern)[1] == []
