"""Data sets of the Hub from end to end: over HTTP, as a user reads them."""

import json
import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from tests.data.formats.hub.conftest import REPO
from tests.data.formats.hub.shards import Shards, features, rows, shard
from zoo.data import Dataset, check, convert, read
from zoo.errors import DataError, NameNotFound
from zoo.testing import Fault, LoopbackHub
from zoo.train.data import images_of

DATASET = f"datasets/{REPO}"


def collected(batch: list[Any]) -> list[Any]:
    return batch


@pytest.mark.parametrize("form", ["folder_files", "shards"])
def test_both_forms_are_the_data_set_that_was_uploaded(
    hub: LoopbackHub, scenes: Dataset, form: str, request: pytest.FixtureRequest
) -> None:
    hub.add(DATASET, request.getfixturevalue(form))
    data = read(f"hub:{REPO}")
    assert data.sha256 == scenes.sha256
    assert list(data.splits) == list(scenes.splits)
    for row in range(len(scenes)):
        assert torch.equal(data.image(row).pixels, scenes.image(row).pixels)
    again = pickle.loads(pickle.dumps(data))
    assert torch.equal(again.target(3).boxes, scenes.target(3).boxes)
    loader = DataLoader(again, batch_size=4, num_workers=1, collate_fn=collected)  # type: ignore[arg-type]
    pixels = [pixels for batch in loader for pixels, _ in batch]
    assert all(torch.equal(one, scenes[row][0]) for row, one in enumerate(pixels))


def test_every_format_of_the_same_data_gives_the_same_hash_and_the_same_head(
    hub: LoopbackHub, scenes: Dataset, shards: Shards, folder: Path, tmp_path: Path
) -> None:
    hub.add(DATASET, shards)
    names = ["coco", "yolo", "csv"]
    for name in names:
        convert(scenes, f"{name}:{tmp_path / name}", show=False)
    found = [read(f"{name}:{tmp_path / name}") for name in names]
    found += [read(f"hub-folder:{folder}"), read(f"hub:{REPO}")]
    used = sorted({scenes.label_space.names[label] for label in scenes.truth.labels.tolist()})
    csv = found.pop(names.index("csv"))  # it names classes only with boxes, in their order
    assert sorted(csv.label_space.names) == used
    hashes = [data.sha256 == scenes.sha256 for data in found]
    assert hashes == [True] * 4, hashes
    for data in found:
        heads = images_of(data, None, 0.1)
        assert heads.train.label_space.names == scenes.label_space.names
        assert heads.validation is not None
        assert heads.train.sha256 == scenes.splits["train"].sha256


def test_one_split_is_read_and_nothing_else_is_fetched(
    hub: LoopbackHub, scenes: Dataset, shards: Shards
) -> None:
    hub.add(DATASET, shards | {"scenes.py": b"raise SystemExit('run')", "extra.bin": b"x"})
    data = read(f"hub:{REPO},split=val")
    assert data.sha256 == scenes.splits["val"].sha256
    assert [hub.bodies(glob) for glob in ("*val-*", "*train-*", "*.py", "*.bin")] == [1, 0, 0, 0]


def test_a_revision_stays_and_main_moves(hub: LoopbackHub, scenes: Dataset, shards: Shards) -> None:
    first = hub.add(DATASET, shards, revision="v1")
    before = read(f"hub:{REPO}")
    assert before.notes[0] == f"It was read from hub:{REPO}@{first}."
    part = {name: data for name, data in shards.items() if "train" in name}
    hub.add(DATASET, part)
    assert len(read(f"hub:{REPO}")) == 3
    assert read(f"hub:{REPO}@v1").sha256 == scenes.sha256
    asked = len(hub.requests)
    assert read(f"hub:{REPO}@{first}").sha256 == scenes.sha256
    assert len(hub.requests) == asked


def test_offline_it_is_read_without_a_socket_and_what_is_missing_is_said(
    hub: LoopbackHub, scenes: Dataset, shards: Shards, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.add(DATASET, shards)
    monkeypatch.setenv("ZOO_OFFLINE", "1")
    with pytest.raises(DataError, match=r"never read on this machine(.|\n)*hub-folder:scenes"):
        read(f"hub:{REPO}")
    monkeypatch.delenv("ZOO_OFFLINE")
    read(f"hub:{REPO},split=val")
    monkeypatch.setenv("ZOO_OFFLINE", "1")
    script = (
        "import socket, zoo.data\n"
        "def refused(*_, **__): raise SystemExit('a socket was opened')\n"
        "socket.socket.connect = socket.getaddrinfo = refused\n"
        f"print(zoo.data.read('hub:{REPO},split=val').sha256)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stdout.strip() == scenes.splits["val"].sha256, done.stderr
    with pytest.raises(DataError, match=r"2 of its 3 files are not on this machine"):
        read(f"hub:{REPO}")


def test_private_data_is_for_those_with_a_token(
    hub: LoopbackHub, scenes: Dataset, shards: Shards, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.add(DATASET, shards, private=True)
    hub.allow("right", DATASET.partition("/")[0], "org")
    with pytest.raises(DataError, match=r"no data set org/scenes: it is missing, private or gated"):
        read(f"hub:{REPO}")
    monkeypatch.setenv("HF_TOKEN", "right")
    assert read(f"hub:{REPO}").sha256 == scenes.sha256
    assert not any(
        "right" in str(request.headers) for request in hub.requests if "/cdn/" in request.path
    )


def test_a_gated_data_set_says_where_to_accept_its_conditions(
    hub: LoopbackHub, shards: Shards
) -> None:
    hub.add(DATASET, shards)
    hub.misbehave("*resolve*", Fault.status(403, error="GatedRepo"), times=None, method="*")
    with pytest.raises(DataError, match=r"is gated(.|\n)*/datasets/org/scenes"):
        read(f"hub:{REPO}")


def test_what_is_not_there_is_named_with_what_is(
    hub: LoopbackHub, shards: Shards, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.add(DATASET, shards)
    with pytest.raises(DataError, match=r"no data set org/scene:"):
        read("hub:org/scene")
    with pytest.raises(DataError, match=r"no such revision"):
        read(f"hub:{REPO}@v9")
    with pytest.raises(NameNotFound, match=r"No split named 'validation'(.|\n)*test, train, val"):
        read(f"hub:{REPO},split=validation")
    with pytest.raises(NameNotFound, match=r"No configuration named 'big'(.|\n)*has default"):
        read(f"hub:{REPO},config=big")
    with pytest.raises(DataError, match=r"Write hub:ORG/NAME"):
        read("hub:scenes")
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(DataError, match=r"There is no connection(.|\n)*hub-folder:elsewhere"):
        read("hub:org/elsewhere")


def test_a_body_that_breaks_off_goes_on_and_a_damaged_one_is_fetched_again(
    hub: LoopbackHub, scenes: Dataset, shards: Shards
) -> None:
    hub.add(DATASET, shards)
    hub.misbehave("/cdn/*val*", Fault.truncate())
    hub.misbehave("/cdn/*test*", Fault.wrong_byte())
    assert read(f"hub:{REPO}").sha256 == scenes.sha256
    hub.add(DATASET, shards | {"README.md": b"another"})
    hub.misbehave("/cdn/*", Fault.wrong_byte(), times=None)
    commit = hub.add(
        "datasets/org/other", {"data/train-00000-of-00001.parquet": next(iter(shards.values()))}
    )
    with pytest.raises(DataError, match=rf"{commit}(.|\n)*damaged(.|\n)*was removed"):
        read("hub:org/other")


def test_a_file_that_rots_on_the_disk_is_noticed(
    hub: LoopbackHub, scenes: Dataset, shards: Shards
) -> None:
    hub.add(DATASET, shards)
    held: Any = read(f"hub:{REPO},split=val").images
    path = held.parts[0].shards[0].path if hasattr(held, "parts") else held.shards[0].path
    blob = path.resolve()
    blob.write_bytes(blob.read_bytes()[:-9] + b"xxxxxxxxx")
    with pytest.raises(DataError, match="damaged"):
        read(f"hub:{REPO},split=val")
    assert read(f"hub:{REPO},split=val").sha256 == scenes.splits["val"].sha256


def test_a_broken_table_and_columns_that_nobody_knows(
    hub: LoopbackHub, scenes: Dataset, shards: Shards
) -> None:
    name = "data/train-00000-of-00001.parquet"
    hub.add(DATASET, {name: shards[name][:-100]})
    with pytest.raises(DataError, match=r"train-00000-of-00001.parquet' of hub:(.|\n)*no Parquet"):
        read(f"hub:{REPO}")
    given = rows(scenes.splits["val"])
    for row in given:
        row["objects"]["corners"] = row["objects"].pop("bbox")
    columns = features(scenes.label_space.names)
    columns["objects"]["corners"] = columns["objects"].pop("bbox")
    hub.add(DATASET, {name: shard(given, columns)})
    with pytest.raises(
        DataError, match=r"'objects' has no column of boxes(.|\n)*there are id, category, corners"
    ):
        read(f"hub:{REPO}")
    assert read(f"hub:{REPO},boxes=corners").sha256 == scenes.splits["val"].sha256


def test_bytes_that_are_no_image_are_findings(hub: LoopbackHub, scenes: Dataset) -> None:
    given = rows(scenes.splits["val"])
    given[1]["image"]["bytes"] = b"<html>not found</html>"
    given[2]["image"]["bytes"] = given[2]["image"]["bytes"][:300]
    given[0]["objects"]["bbox"][0] = [-40.0, 5.0, 30.0, 400.0]
    columns = features(scenes.label_space.names)
    hub.add(DATASET, {"data/val-00000-of-00001.parquet": shard(given, columns)})
    found = check(f"hub:{REPO}", show=False)
    files = [one.image for one in found.findings if one.check == "unreadable_image"]
    assert files == [given[1]["image"]["path"], given[2]["image"]["path"]]
    assert found.counts["outside"] == 1


@pytest.mark.parametrize(
    "name", ["../../secret.png", "/etc/passwd", "a\\..\\b.png", "C:/x.png", ""]
)
def test_a_name_that_leads_out_of_its_folder_is_refused_and_found(
    hub: LoopbackHub, folder_files: dict[str, bytes], name: str
) -> None:
    lines = folder_files["val/metadata.jsonl"].splitlines()
    row = json.loads(lines[0]) | {"file_name": name}
    text = b"\n".join([*lines[1:], json.dumps(row).encode()])
    hub.add(DATASET, folder_files | {"val/metadata.jsonl": text})
    with pytest.raises(DataError, match=r"'val/metadata.jsonl' of hub:(.|\n)*Correct file_name"):
        read(f"hub:{REPO},split=val")
    found = check(f"hub:{REPO},split=val", images="none")
    assert len(found.dataset) == 2
    assert found.counts["unreadable_annotations"] == 1


@pytest.mark.slow
def test_the_shell_takes_it_by_name(
    hub: LoopbackHub, scenes: Dataset, shards: Shards, tmp_path: Path
) -> None:
    hub.add(DATASET, shards)

    def zoo(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "zoo", "data", *words], capture_output=True, text=True
        )

    done = zoo("convert", f"hub:{REPO}", f"coco:{tmp_path / 'coco'}", "--json")
    assert json.loads(done.stdout)["checked"], done.stderr
    assert np.array_equal(read(f"coco:{tmp_path / 'coco'}").truth.xywh, scenes.truth.xywh)
    done = zoo("check", f"hub:{REPO},split=all", "--json")
    assert done.returncode == 3
    assert "test, train, val" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_model_is_trained_and_measured_on_it_from_the_shell(
    hub: LoopbackHub, shell: Callable[..., Any], shards: Shards, tmp_path: Path
) -> None:
    commit = hub.add(DATASET, shards)
    run = str(tmp_path / "run")
    small = ("steps=2", "batch_size=2", "size=[64, 64]", "overfit_check=false")
    settings = [word for text in small for word in ("--set", text)]
    words = ("train", "shapes/yolox_pico", "--data", f"hub:{REPO}", "--device", "cpu", *settings)
    done = shell(*words, "--to", run, "--json")
    assert done.code == 0, done.err
    assert json.loads(done.out)["steps"] == 2
    facts = json.loads((tmp_path / "run" / "run.json").read_text())
    assert f"hub:{REPO}@{commit}" in json.dumps(facts)  # whatever main is later
    words = ("evaluate", f"file:{run}", "--data", f"hub:{REPO},split=test", "--resamples", "0")
    done = shell(*words, "--device", "cpu", "--json", str(tmp_path / "report.json"))
    assert done.code == 0, done.err
    assert "3 images" in done.out
    assert hub.bodies("*train-*") == hub.bodies("*test-*") == 1
    done = shell("train", "shapes/yolox_pico", "--data", f"hub:{REPO},split=tset", "--to", run)
    assert done.code == 3
    assert "Did you mean 'test'" in done.err
    assert "Traceback" not in done.err
