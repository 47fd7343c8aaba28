"""detect_stream(): order, laziness, bounded memory, and threads that end."""

import gc
import itertools
import random
import threading
import time
import weakref

import numpy as np
import pytest
import torch
from PIL import Image

from zoo.detectors import Protocol
from zoo.errors import ContractError, ImageError
from zoo.images import ImageWarning
from zoo.inference.detect import stream

LAMP = {"red": (2, 3, 12, 11)}


@pytest.fixture
def readers():
    """The threads that read images, began in this test and are still alive."""
    others = set(threading.enumerate())  # one that reads for ever may be left by another test

    def alive():
        return [
            thread
            for thread in threading.enumerate()
            if thread.name.startswith("zoo-read") and thread not in others
        ]

    return alive


def ended(readers):
    until = time.monotonic() + 10
    while readers() and time.monotonic() < until:
        time.sleep(0.01)
    return not readers()


def test_order_is_kept_however_long_each_picture_takes_to_arrive(lamps, paint, tmp_path, web):
    chance = random.Random(1)
    sources = []
    for number in range(40):
        width = chance.choice([40, 40, 40, 70, 100])
        Image.fromarray(paint(40, width, red=(number % 30, 5, number % 30 + 8, 20))).save(
            tmp_path / f"{number}.png"
        )
        sources.append(f"{web.address}/{number}.png?{chance.random() * 0.02:.3f}")
    seen = list(lamps.detect_stream(sources, threads=8))
    assert [one.source for one in seen] == sources
    assert [int(one.boxes[0, 0]) for one in seen] == [number % 30 for number in range(40)]


@pytest.mark.parametrize("batch_size", [1, 2, 3, 8, 200, "auto"])
def test_ragged_pictures_give_the_same_in_any_batch(batch_size, lamps, paint):
    rng = np.random.default_rng(5)
    pictures = []
    for _ in range(100):
        height, width = rng.integers(20, 140, 2)
        pictures.append(
            paint(
                height,
                width,
                green=(1, 2, int(rng.integers(3, width)), int(rng.integers(4, height))),
            )
        )
    alone = [lamps.detect(picture) for picture in pictures]
    together = lamps.detect(pictures, batch_size=batch_size)
    for one, other in zip(alone, together, strict=True):
        assert torch.equal(one.boxes, other.boxes)
        assert torch.equal(one.scores, other.scores)
        assert torch.equal(one.labels, other.labels)
        assert one.size == other.size


def test_batches_fill_up_from_a_window_of_ragged_neighbours(lamps, paint):
    sizes = []
    lamps.register_forward_pre_hook(
        lambda _, args: sizes.append((len(args[0]), tuple(args[0].pixels.shape[2:])))
    )
    turns = [paint(30, 30), paint(30, 60), paint(60, 30)]
    lamps.detect([turns[number % 3] for number in range(48)], batch_size=8)
    assert sorted(sizes) == sorted([(8, (32, 32)), (8, (32, 64)), (8, (64, 32))] * 2)


def test_a_rare_size_does_not_hold_up_the_stream(lamps, paint):
    rare, common = paint(30, 90), torch.from_numpy(paint(30, 30)).permute(2, 0, 1).contiguous()
    pulled = []
    frames = itertools.chain(
        [rare], (pulled.append(number) or common for number in itertools.count())
    )
    results = lamps.detect_stream(frames, batch_size=4)
    assert next(results).size == (30, 90)
    assert len(pulled) <= 64
    results.close()


def test_a_generator_is_pulled_no_further_than_its_window(lamps, street, as_file):
    for make in (
        lambda: torch.from_numpy(street).permute(2, 0, 1),
        lambda: street,
        lambda: as_file(street),
    ):
        pulled = []
        results = lamps.detect_stream(
            (pulled.append(number) or make() for number in itertools.count()),
            batch_size=4,
            threads=2,
        )
        assert not pulled
        for wanted in range(1, 20):
            next(results)
            assert len(pulled) <= wanted + 8
        results.close()


def test_without_threads_a_live_camera_is_never_read_ahead(lamps, street):
    pulled = []
    results = lamps.detect_stream(
        (pulled.append(0) or street for _ in itertools.count()), batch_size=1, threads=0
    )
    for wanted in range(1, 6):
        next(results)
        assert len(pulled) == wanted


@pytest.mark.parametrize("form", ["tensor", "array"])
def test_memory_is_constant_over_2000_frames(form, lamps):
    alive = weakref.WeakSet()
    most = 0

    def frames():
        nonlocal most
        for number in range(2000):
            frame = np.full((32, 32 * (1 + number % 3), 3), 20, np.uint8)
            frame[5:10, 5:10, 0] = 255
            made = (
                torch.from_numpy(frame).permute(2, 0, 1).contiguous()
                if form == "tensor"
                else frame.view(Frame)
            )
            alive.add(made)
            most = max(most, len(alive))
            yield made

    gc.collect()
    count = sum(1 for _ in lamps.detect_stream(frames(), batch_size=8, threads=2))
    assert count == 2000
    assert most <= 40


def test_finished_pictures_are_let_go_while_they_wait_for_their_turn(lamps, paint):
    alive = weakref.WeakSet()
    most = 0

    def frames():
        nonlocal most
        yield paint(30, 90)
        for _ in range(50):
            frame = torch.from_numpy(paint(30, 30)).permute(2, 0, 1).contiguous()
            alive.add(frame)
            most = max(most, len(alive))
            yield frame

    assert len(list(lamps.detect_stream(frames(), batch_size=4))) == 51
    assert most <= 8


class Frame(np.ndarray):
    """An array that weak references and sets can hold."""

    __hash__ = object.__hash__


def test_closing_ends_the_threads(lamps, street, as_file, readers):
    results = lamps.detect_stream((as_file(street) for _ in itertools.count()), threads=3)
    next(results)
    assert readers()
    results.close()
    assert ended(readers)


def test_closing_cancels_what_has_not_been_begun(lamps, street, tmp_path, web, readers):
    Image.fromarray(street).save(tmp_path / "street.png")
    results = lamps.detect_stream([f"{web.address}/street.png?0.03"] * 40, threads=1, batch_size=12)
    next(results)
    results.close()
    before = len(web.asked)
    assert ended(readers)
    assert len(web.asked) <= before + 2 < 30


def test_an_abandoned_stream_ends_its_threads(lamps, street, as_file, readers):
    results = lamps.detect_stream((as_file(street) for _ in itertools.count()), threads=3)
    next(results)
    del results
    gc.collect()
    assert ended(readers)


def test_an_error_ends_the_threads(lamps, street, as_file, readers):
    with pytest.raises(ImageError):
        lamps.detect([*[as_file(street)] * 5, b"bad", *[as_file(street)] * 50], threads=3)
    assert ended(readers)
    lamps.register_forward_hook(lambda *_: 1 / 0)
    with pytest.raises(ContractError, match="ZeroDivisionError"):
        lamps.detect([as_file(street)] * 50, threads=3)
    assert ended(readers)


def test_ready_tensors_start_no_thread(lamps, street, readers):
    results = lamps.detect_stream([torch.from_numpy(street).permute(2, 0, 1)] * 5, batch_size=1)
    next(results)
    assert not readers()
    results.close()


def test_what_came_before_a_bad_picture_comes_out_first(lamps, street, paint, as_file):
    sources = [street, paint(30, 90), as_file(street), b"bad", street]
    results = lamps.detect_stream(sources, batch_size=8)
    assert [next(results).source for _ in range(3)] == ["image 0", "image 1", "image 2"]
    with pytest.raises(ImageError) as caught:
        next(results)
    assert caught.value.file == "image 3"


def test_nothing_is_pulled_after_a_bad_picture(lamps, street):
    pulled = []
    sources = (
        pulled.append(number) or (b"bad" if number == 2 else street) for number in itertools.count()
    )
    results = lamps.detect_stream(sources, batch_size=8, threads=0)
    assert [next(results).source, next(results).source] == ["image 0", "image 1"]
    with pytest.raises(ImageError):
        next(results)
    assert pulled == [0, 1, 2]


def test_skipped_pictures_leave_the_others_in_order(lamps, street):
    with pytest.warns(ImageWarning, match="'image 1'"):
        seen = list(lamps.detect_stream([street, b"bad", street], on_error="skip"))
    assert [one.source for one in seen] == ["image 0", "image 2"]


def test_failures_are_told_in_their_turn(lamps, street):
    told = []
    results = stream(
        lamps,
        [b"bad 0", street, b"bad 2", b"bad 3", street, b"bad 5"],
        protocol=Protocol(score=0.3),
        on_failure=told.append,
    )
    for one in results:
        told.append(one)
    names = [one.file if isinstance(one, ImageError) else one.source for one in told]
    assert names == [f"image {number}" for number in range(6)]


def test_every_picture_is_shown_with_what_was_seen_in_it(lamps, street, paint):
    shown = {}
    pictures = [street, paint(30, 90), street]
    seen = list(
        stream(
            lamps,
            pictures,
            protocol=Protocol(score=0.3),
            on_result=lambda *pair: shown.update({pair[0].source: pair}),
        )
    )
    for one, given in zip(seen, pictures, strict=True):
        picture, told = shown[one.source]
        assert told is one
        assert np.array_equal(picture.pixels.permute(1, 2, 0), given)


def test_an_error_of_the_source_itself_ends_the_stream(lamps, street):
    def broken():
        yield street
        raise OSError("the camera was unplugged")

    with pytest.raises(OSError, match="unplugged"):
        list(lamps.detect_stream(broken(), on_error="skip"))


def test_the_model_is_its_owners_between_two_results(make_lamps, street):
    lamps = make_lamps().train()
    for _ in lamps.detect_stream([street] * 3, batch_size=1):
        assert lamps.training
        assert torch.is_grad_enabled()
        assert not torch.is_inference_mode_enabled()


def picky(lamps):
    """The detector, which now says of wide images that it can't take them, as torchvision's
    do."""
    known = lamps.input_size

    def input_size(height, width):
        if width > 1000:
            raise ImageError(
                "A wide picture was given to the network.",
                "Nothing would be left of its height.",
                "Cut it into tiles.",
            )
        return known(height, width)

    lamps.input_size = input_size
    return lamps


def test_a_picture_that_the_network_can_not_take_is_named(lamps, paint):
    with pytest.raises(
        ImageError,
        match=r"'Lamps'.*'image 1' \(2000 x 10 pixels\)(.|\n)*of its height(.|\n)*into tiles",
    ) as raised:
        picky(lamps).detect([paint(48, 64), paint(10, 2000)])
    assert raised.value.file == "image 1"


def test_a_picture_that_the_network_can_not_take_is_skipped_and_the_rest_comes_out(
    lamps, street, paint
):
    with pytest.warns(ImageWarning, match="'image 1'"):
        seen = picky(lamps).detect([street, paint(10, 2000), street], on_error="skip")
    assert [one.source for one in seen] == ["image 0", "image 2"]
