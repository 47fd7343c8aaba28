"""`shapes:test` as a data set of the zoo."""

import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from detzoo_shapes.dataset import encoded
from detzoo_shapes.outlines import NAMES
from detzoo_shapes.render import render
from detzoo_shapes.scene import compose

import zoo.data
from zoo.errors import DataError


def test_a_split_is_a_data_set_whose_images_are_rendered() -> None:
    data = zoo.data.read("shapes:val,count=5")
    assert (data.name, len(data), data.label_space.names) == ("shapes_val", 5, NAMES)
    for position in range(5):
        scene = compose("val", position)
        pixels = torch.from_numpy(render(scene)).permute(2, 0, 1)
        assert torch.equal(data.image(position).pixels, pixels)
        target = data.target(position)
        assert sorted(target.labels.tolist()) == sorted(scene.labels.tolist())
        assert sorted(target.boxes.tolist()) == sorted(scene.boxes.astype(np.float32).tolist())
    assert data.sizes.tolist() == [[scene.width, scene.height] for scene in map(val, range(5))]


def val(index: int):  # type: ignore[no-untyped-def]
    return compose("val", index)


def test_all_of_it_has_the_three_splits() -> None:
    data = zoo.data.read("shapes:all,count=3")
    assert list(data.splits) == ["train", "val", "test"]
    assert [len(part) for part in data.splits.values()] == [3, 3, 3]
    one = zoo.data.read("shapes:test,count=3")
    assert torch.equal(data.splits["test"].image(1).pixels, one.image(1).pixels)
    assert torch.equal(data.splits["test"].target(2).boxes, one.target(2).boxes)


def test_more_scenes_do_not_move_the_first_ones() -> None:
    few, more = zoo.data.read("shapes:train,count=3"), zoo.data.read("shapes:train,count=6")
    assert few.images[2].id == more.images[2].id
    assert torch.equal(few.target(2).boxes, more.target(2).boxes)


def test_a_seed_and_a_size_give_other_scenes() -> None:
    data = zoo.data.read("shapes:test,count=2,seed=4,size=128")
    assert data.name == "shapes_test_seed4"
    assert data.sizes.tolist() == [[128, 128], [128, 128]]
    assert not torch.equal(
        data.image(0).pixels, zoo.data.read("shapes:test,count=2,size=128").image(0).pixels
    )


def test_it_can_be_pickled_for_the_workers_of_a_loader() -> None:
    data = zoo.data.read("shapes:train,count=2")
    again = pickle.loads(pickle.dumps(data))
    assert torch.equal(again.image(1).pixels, data.image(1).pixels)


def test_its_fingerprints_are_of_its_contents() -> None:
    data = zoo.data.read("shapes:val,count=2")
    assert data.images_sha256 == zoo.data.read("shapes:all,count=2").splits["val"].images_sha256
    assert data.images_sha256 != zoo.data.read("shapes:val,count=2,seed=1").images_sha256


def test_how_much_is_hidden_is_known_of_every_box() -> None:
    truth = zoo.data.read("shapes:val,count=6").truth
    assert truth.box_attributes["hidden"].shape == (len(truth.labels),)
    assert set(truth.image_attributes) == {"density", "blur", "palette"}


def test_a_split_that_it_has_not_is_an_error_with_the_nearest_one() -> None:
    with pytest.raises(DataError, match=r"Did you mean .shapes:test"):
        zoo.data.read("shapes:tst")


def test_an_option_out_of_range_is_an_error() -> None:
    with pytest.raises(DataError, match="size"):
        zoo.data.read("shapes:test,size=4")


def test_an_encoded_scene_is_its_pixels_behind_a_header() -> None:
    content = encoded("test", 1, 0, (96, 80))
    assert content.startswith(b"P6\n96 80\n255\n")
    assert content.endswith(render(compose("test", 1, size=(96, 80))).tobytes())


def test_scenes_that_are_written_are_png_files_of_plain_names(tmp_path: Path) -> None:
    data = zoo.data.read("shapes:all,count=1,size=64")
    zoo.data.convert(data, f"voc:{tmp_path / 'site'}", show=False)
    names = ["test_000000", "train_000000", "val_000000"]
    for folder, suffix in (("JPEGImages", ".png"), ("Annotations", ".xml")):
        files = sorted((tmp_path / "site" / folder).iterdir())
        assert [file.name for file in files] == [name + suffix for name in names]
    assert (tmp_path / "site/JPEGImages/val_000000.png").read_bytes().startswith(b"\x89PNG")
    found = zoo.data.read(tmp_path / "site")
    by_name = {record.path.stem: row for row, record in enumerate(data.images)}
    for row, record in enumerate(found.images):
        same = by_name[record.path.stem]
        assert torch.equal(found.image(row).pixels, data.image(same).pixels)
