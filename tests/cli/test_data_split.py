"""Words of `zoo data split` on the lists that it wrote, added to or left as they were."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

Shell = Callable[..., Any]


def test_lists_that_other_shares_would_draw_otherwise_are_neither_kept_nor_replaced(
    shell: Shell, tmp_path: Path
) -> None:
    to = tmp_path / "lists"
    words = ["data", "split", "shapes:val,count=20,size=64", "--to", str(to), "--test", "0"]
    assert shell(*words, "--train", ".8", "--val", ".2").code == 0
    before = {file.name: file.read_bytes() for file in to.iterdir()}
    done = shell(*words, "--train", ".8", "--val", ".2")
    assert (done.code, f"in {to} name every image already, and stay" in done.err) == (0, True)
    assert "Lists written" not in done.err
    done = shell(*words, "--train", ".5", "--val", ".5")
    assert (done.code, f"Name another folder, as {to}-2" in done.err) == (2, True)
    assert "name every image already" in done.err
    assert "far from a share" not in done.err
    assert {file.name: file.read_bytes() for file in to.iterdir()} == before


def test_split_says_when_few_images_fall_far_from_the_shares(shell: Shell, tmp_path: Path) -> None:
    counts: dict[int, bool] = {}
    for seed in range(8):
        to = ["--to", str(tmp_path / str(seed)), "--seed", str(seed)]
        shares = ["--train", "0.8", "--val", "0.2", "--test", "0"]
        done = shell("data", "split", "shapes:val,count=10,size=64", *to, *shares, "--json")
        images = json.loads(done.out)["splits"].get("val", {"images": 0})["images"]
        counts[images] = f"val has {images} image" in done.err
    assert len(counts) > 1
    assert counts == {images: images in (0, 1) or images > 2 for images in counts}
