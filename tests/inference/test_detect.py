"""detect(): one image in every form, many images, bad images, and what happens to the model
meanwhile."""

import io
import threading
import warnings

import numpy as np
import pytest
import torch
from PIL import Image

from zoo.detections import Detections
from zoo.detectors import Target
from zoo.errors import ContractError, ImageError
from zoo.images import ImageWarning


def rows(seen):
    """Everything that was seen, as plain numbers."""
    return seen.boxes.tolist(), seen.scores.tolist(), seen.labels.tolist()


def test_lamps_are_found_where_they_are(lamps, street):
    seen = lamps.detect(street)
    assert seen.boxes.tolist() == [[8, 8, 24, 40], [40, 16, 48, 24]]
    assert [seen.names[label] for label in seen.labels] == ["red", "green"]
    assert seen.size == (48, 64)


@pytest.mark.filterwarnings("ignore:.*transparent in places:zoo.images.ImageWarning")
def test_every_form_of_a_picture_gives_identical_boxes(lamps, street, as_file, tmp_path, web):
    png = as_file(street)
    path = tmp_path / "street.png"
    path.write_bytes(png)
    chw = torch.from_numpy(street).permute(2, 0, 1)
    one = [
        path,
        str(path),
        f"{web.address}/street.png",
        png,
        Image.open(path),
        Image.fromarray(street),
        street,
        chw,
        chw / 255,
    ]
    one += [
        as_file(np.dstack([street, street[..., 0]])),
        as_file(street, "TIFF"),
        as_file(street, "BMP"),
    ]
    many = [
        tmp_path,
        str(tmp_path / "*.png"),
        [path],
        (street,),
        iter([chw]),
        (chw for _ in range(1)),
    ]
    expected = rows(lamps.detect(path))
    assert len(expected[0]) == 2
    assert [rows(lamps.detect(form)) for form in one] == [expected] * len(one)
    assert [[rows(seen) for seen in lamps.detect(form)] for form in many] == [[expected]] * len(
        many
    )


STORED = {
    1: lambda upright: upright,
    2: np.fliplr,
    3: lambda upright: np.rot90(upright, 2),
    4: np.flipud,
    5: lambda upright: upright.transpose(1, 0, 2),
    6: lambda upright: np.rot90(upright, 1),
    7: lambda upright: np.rot90(upright, 2).transpose(1, 0, 2),
    8: lambda upright: np.rot90(upright, -1),
}  # what a camera stores under each EXIF orientation


@pytest.mark.parametrize("orientation", STORED)
def test_a_turned_photo_gives_the_boxes_of_the_upright_one(orientation, lamps, street, as_file):
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = np.ascontiguousarray(STORED[orientation](street))
    photo = as_file(stored, exif=exif)
    assert rows(lamps.detect(photo)) == rows(lamps.detect(street))
    assert rows(lamps.detect(Image.open(io.BytesIO(photo)))) == rows(lamps.detect(street))
    assert rows(lamps.detect(photo, exif="ignore")) == rows(lamps.detect(stored))


def test_one_picture_gives_one_detections_and_many_give_a_list(lamps, street, tmp_path):
    Image.fromarray(street).save(tmp_path / "a.png")
    assert isinstance(lamps.detect(tmp_path / "a.png"), Detections)
    assert isinstance(lamps.detect(street), Detections)
    for many in (tmp_path, tmp_path / "*.png", [street], [tmp_path / "a.png"]):
        assert isinstance(lamps.detect(many), list)
    assert lamps.detect([]) == []


def test_every_result_names_its_picture(lamps, street, as_file, tmp_path):
    path = tmp_path / "a.png"
    path.write_bytes(as_file(street))
    seen = lamps.detect([street, str(path), as_file(street), tmp_path])
    assert [one.source for one in seen] == ["image 0", str(path), "image 2", str(path)]
    assert {one.size for one in seen} == {(48, 64)}


def test_thresholds_reach_the_decoder(lamps, paint):
    dim = paint(40, 40, red=(0, 0, 10, 10))
    dim[dim == 255] = 120  # a third as bright
    assert len(lamps.detect(dim)) == 1
    assert len(lamps.detect(dim, score=0.4)) == 0
    assert len(lamps.detect(dim, score=None)) == 0  # the family's own 0.5
    both = paint(40, 40, red=(0, 0, 10, 10), blue=(20, 20, 30, 30))
    assert len(lamps.detect(both)) == 2
    assert len(lamps.detect(both, max_boxes=1)) == 1


def test_a_bad_picture_in_a_list_is_raised_by_name(lamps, street, tmp_path):
    bad = tmp_path / "bad.jpg"
    bad.write_bytes(b"no picture")
    with pytest.raises(ImageError, match="not an image that Pillow knows") as caught:
        lamps.detect([street, bad, street])
    assert caught.value.file == str(bad)
    assert 'on_error="skip"' in caught.value.fix
    with pytest.raises(ImageError, match='on_error="skip"'):
        list(lamps.detect_stream([street, bad]))


def test_bad_pictures_are_skipped_with_a_warning_each_and_the_rest_comes_out(
    lamps, street, paint, as_file, tmp_path
):
    (tmp_path / "cut.png").write_bytes(
        as_file(np.random.default_rng(0).integers(0, 255, (50, 50, 3), np.uint8))[:1000]
    )
    (tmp_path / "empty.png").touch()
    (tmp_path / "good.png").write_bytes(as_file(street))
    (tmp_path / "text.png").write_text("hello")
    tiny, wide = paint(1, 1, red=(0, 0, 1, 1)), paint(10, 20000, blue=(19990, 2, 19999, 8))
    with pytest.warns(ImageWarning) as caught:
        seen = lamps.detect(
            [tmp_path, tmp_path / "no.png", tmp_path / "no/*.png", tiny, wide], on_error="skip"
        )
    assert [one.source for one in seen] == [str(tmp_path / "good.png"), "image 6", "image 7"]
    assert [one.boxes.tolist() for one in seen[1:]] == [[[0, 0, 1, 1]], [[19990, 2, 19999, 8]]]
    told = [str(warning.message) for warning in caught]
    for name, message in zip(
        ("cut.png", "empty.png", "text.png", "no.png", "no/*.png"), told, strict=True
    ):
        assert f"{name}' can't be read" in message
        assert "on_error" not in message


def test_a_single_bad_picture_is_raised_even_when_skipping(lamps, tmp_path):
    with pytest.raises(ImageError, match="no such file") as caught:
        lamps.detect(tmp_path / "no.png", on_error="skip")
    assert "on_error" not in caught.value.fix


@pytest.mark.parametrize(
    "source", [None, 5, {"a": "a.jpg"}, {"a.jpg"}], ids=["None", "int", "dict", "set"]
)
def test_what_is_no_picture_is_an_error_and_no_series(source, lamps):
    with pytest.raises(ImageError, match="image 0"):
        lamps.detect(source)


def test_an_empty_folder_is_an_error(lamps, tmp_path):
    with pytest.raises(ImageError, match="no file in it has an image's suffix"):
        lamps.detect(tmp_path)


@pytest.mark.parametrize(
    "wrong",
    [
        {"batch_size": 0},
        {"batch_size": "many"},
        {"batch_size": 1.5},
        {"exif": "up"},
        {"on_error": "ignore"},
        {"threads": -1},
        {"batch_size": True},
        {"batch_size": np.int64(0)},
        {"threads": True},
    ],
)
def test_a_wrong_setting_is_refused_with_what_to_pass(wrong, lamps, street):
    (name,) = wrong
    for source in (street, [street]):
        with pytest.raises(ValueError, match=f"^{name}="):
            lamps.detect(source, **wrong)
    with pytest.raises(ValueError, match=f"^{name}="):
        lamps.detect_stream([street], **wrong)


def test_whole_numbers_may_be_numpys(lamps, street):
    seen = lamps.detect([street] * 4, batch_size=np.int64(3), threads=np.int64(1))
    assert [rows(one) for one in seen] == [rows(lamps.detect(street))] * 4


def test_inputs_are_left_as_they_were(lamps, street):
    array, tensor, image = (
        street.copy(),
        torch.from_numpy(street).permute(2, 0, 1).contiguous(),
        Image.fromarray(street),
    )
    lamps.detect([array, tensor, image, tensor])
    assert np.array_equal(array, street)
    assert np.array_equal(tensor.permute(1, 2, 0), street)
    assert np.array_equal(np.asarray(image), street)


def test_one_unloaded_pil_image_may_stand_in_a_list_many_times(lamps, paint, as_file):
    large = paint(700, 700, red=(100, 100, 500, 500))
    large[..., 2] = np.random.default_rng(0).integers(0, 30, (700, 700))  # takes long to decode
    image = Image.open(io.BytesIO(as_file(large)))
    seen = lamps.detect([image] * 8, threads=8)
    assert all(rows(one) == rows(lamps.detect(large)) for one in seen)


def test_results_may_be_changed_and_trained_with(lamps, street):
    seen = lamps.detect(street)
    seen.boxes.mul_(2)
    weight = torch.ones(1, requires_grad=True)
    (seen.scores * weight).sum().backward()
    assert weight.grad is not None


def test_nothing_is_recorded_for_gradients(lamps, street):
    assert not lamps.detect(street).scores.requires_grad
    assert torch.is_grad_enabled()


def test_a_model_in_training_detects_in_eval_mode_and_trains_on(make_lamps, street):
    lamps = make_lamps().train()
    lamps.norm.eval()
    before = {name: value.clone() for name, value in lamps.state_dict().items()}
    assert rows(lamps.detect(street)) == rows(make_lamps().detect(street))
    assert {name: module.training for name, module in lamps.named_modules()} == {
        "": True, "tint": True, "norm": False, "drop": True
    }  # fmt: skip
    assert all(torch.equal(value, before[name]) for name, value in lamps.state_dict().items())
    batch = lamps.preprocess([torch.from_numpy(street).permute(2, 0, 1)])
    targets = [Target(torch.tensor([[8.0, 8, 24, 40]]), torch.tensor([0]))]
    loss = lamps.loss(lamps(batch, targets), batch, targets)
    loss["heat"].backward()
    assert lamps.tint.weight.grad is not None


def test_a_part_in_training_is_switched_as_well(lamps, make_lamps, street):
    lamps.drop.train()
    assert rows(lamps.detect(street)) == rows(make_lamps().detect(street))
    assert lamps.drop.training
    assert not lamps.training


def test_the_mode_is_restored_after_an_error(make_lamps, street, tmp_path):
    lamps = make_lamps().train()
    lamps.register_forward_hook(lambda *_: 1 / 0)
    with pytest.raises(ContractError, match="ZeroDivisionError"):
        lamps.detect(street)
    with pytest.raises(ImageError):
        lamps.detect([tmp_path / "no.png", street])
    assert lamps.training
    assert lamps.drop.training


def test_threads_may_share_a_model_in_training(make_lamps, street):
    lamps = make_lamps().train()
    expected = rows(make_lamps().detect(street))
    wrong = []
    start = threading.Barrier(6)

    def work():
        start.wait()
        for _ in range(30):
            if rows(lamps.detect(street)) != expected:
                wrong.append(1)

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    assert all(module.training for module in lamps.modules())
    assert lamps.norm.num_batches_tracked == 0


def test_a_frozen_library_global_stays_as_it_was(lamps, street):
    before = (
        torch.get_num_threads(),
        torch.is_inference_mode_enabled(),
        Image.MAX_IMAGE_PIXELS,
        list(warnings.filters),
    )
    lamps.detect([street] * 3)
    assert (
        torch.get_num_threads(),
        torch.is_inference_mode_enabled(),
        Image.MAX_IMAGE_PIXELS,
        list(warnings.filters),
    ) == before
