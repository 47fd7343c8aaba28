"""Each image costs only itself: errors, memory and time of one lose nothing of the others."""

import io
import threading
import time

import numpy as np
import pytest
import torch
from PIL import Image, PngImagePlugin

from zoo.errors import ContractError, ImageError
from zoo.images import ImageWarning, Limits


class Lost(Exception):
    pass


class Camera:
    """A source that breaks after so many frames."""

    def __init__(self, frame, count):
        self.frame, self.count = frame, count

    def __iter__(self):
        yield from [self.frame] * self.count
        raise Lost("the camera went away")


class BadPath:
    def __fspath__(self):
        raise Lost("no path")


class BadArray:
    def __array__(self, *_, **__):
        raise Lost("no array")


def collect(results):
    """What came out, and the error that ended it."""
    seen = []
    try:
        for one in results:
            seen.append(one.source)
    except Exception as error:
        return seen, error
    return seen, None


@pytest.mark.parametrize(
    "options", [{}, {"batch_size": 8}, {"batch_size": 1}, {"batch_size": 3, "threads": 0}]
)
@pytest.mark.parametrize("as_bytes", [False, True])
def test_what_a_source_gave_before_it_broke_comes_out_first(
    as_bytes, options, lamps, street, as_file
):
    seen, error = collect(
        lamps.detect_stream(Camera(as_file(street) if as_bytes else street, 20), **options)
    )
    assert isinstance(error, Lost)
    assert seen == [f"image {number}" for number in range(20)]


def test_a_source_may_break_at_once(lamps, street):
    with pytest.raises(Lost):
        lamps.detect(Camera(street, 0))


@pytest.mark.parametrize("options", [{}, {"batch_size": 8}, {"batch_size": 1, "threads": 0}])
def test_what_a_plugin_found_before_it_broke_comes_out_first(options, lamps, street, paint):
    def decode(outputs, batch, protocol, decode=lamps.decode):
        if any(place.width == 70 for place in batch.transforms):
            raise Lost("a defect")
        return decode(outputs, batch, protocol)

    lamps.decode = decode
    sources = [street, paint(20, 20), street, paint(50, 70), street, paint(20, 20)]
    seen, error = collect(lamps.detect_stream(sources, **options))
    assert isinstance(error, ContractError)
    assert "Its decode raised Lost" in str(error)
    assert seen == ["image 0", "image 1", "image 2"]


BAD = {
    "an empty crop of an array": lambda street: street[5:5],
    "an empty crop of a PIL image": lambda street: Image.fromarray(street).crop((5, 5, 5, 9)),
    "an empty tensor": lambda street: torch.zeros(3, 0, 5, dtype=torch.uint8),
    "a sparse tensor": lambda street: torch.from_numpy(street).permute(2, 0, 1).to_sparse(),
    "a nested tensor": lambda street: torch.nested.nested_tensor([torch.zeros(3, 4, 4)]),
    "a path that raises": lambda street: BadPath(),
    "an object whose array raises": lambda street: BadArray(),
}


@pytest.mark.filterwarnings("ignore:The PyTorch API of nested tensors")
@pytest.mark.filterwarnings("ignore:Sparse")
@pytest.mark.parametrize("threads", [0, 2])
@pytest.mark.parametrize("bad", BAD)
def test_an_image_that_can_not_be_taken_costs_only_itself(bad, threads, lamps, street):
    with pytest.warns(ImageWarning, match="Image 'image 1' can't be read"):
        seen = lamps.detect([street, BAD[bad](street), street], on_error="skip", threads=threads)
    assert [one.source for one in seen] == ["image 0", "image 2"]
    with pytest.raises(ImageError, match=r"'image 0' can't be read"):
        lamps.detect(BAD[bad](street))


OUT_OF_MEMORY = [
    MemoryError(),
    torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB"),
    RuntimeError(
        "[enforce fail at alloc_cpu.cpp:127] . DefaultCPUAllocator: can't allocate memory: you "
        "tried to allocate 9 bytes"
    ),
    RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate 9 bytes."),
]


@pytest.mark.parametrize("error", OUT_OF_MEMORY, ids=range(4))
@pytest.mark.parametrize("step", ["preprocess", "forward", "decode"])
def test_memory_that_runs_out_costs_the_image_at_hand(step, error, lamps, street, replace_step):
    """A red image is one too large at any size of a batch; the others fit, two at a time."""
    batches = []

    def preprocess(images, preprocess=lamps.preprocess):
        batches.append([bool(image[0].min() > 200) for image in images])
        return run("preprocess", preprocess, images)

    def run(name, do, *args):
        if name == step and (any(batches[-1]) or len(batches[-1]) > 2):
            raise error
        return do(*args)

    forward, decode = lamps.forward, lamps.decode
    replace_step(lamps, "preprocess", preprocess)
    lamps.forward = lambda batch: run("forward", forward, batch)
    lamps.decode = lambda *args: run("decode", decode, *args)
    red = np.full_like(street, (255, 0, 0))
    sources = [street, street, street, red, street, street, street, street]
    with pytest.warns(
        ImageWarning, match=r"'image 3' \(64 x 48 pixels\)\.\nThere is not enough memory"
    ) as caught:
        seen = lamps.detect(sources, on_error="skip", batch_size=8)
    assert len(caught) == 1
    assert [one.source for one in seen] == [f"image {number}" for number in range(8) if number != 3]
    with pytest.raises(ImageError, match="not enough memory"):
        lamps.detect(sources, batch_size=8)


def test_an_image_that_a_step_refuses_costs_only_itself(lamps, street, replace_step):
    def preprocess(images, preprocess=lamps.preprocess):
        if any(image[0].min() > 200 for image in images):
            raise ImageError("preprocess can't take it.", "It is red.", "Pass another.")
        return preprocess(images)

    replace_step(lamps, "preprocess", preprocess)
    with pytest.warns(ImageWarning, match="It is red"):
        seen = lamps.detect([street, np.full_like(street, 255), street], on_error="skip")
    assert [one.source for one in seen] == ["image 0", "image 2"]


def test_a_slow_image_is_given_up_and_the_rest_comes_out(lamps, street, as_file, tmp_path, web):
    (tmp_path / "street.png").write_bytes(as_file(street))
    slow = f"{web.address}/street.png?30"
    began = time.monotonic()
    with pytest.warns(ImageWarning, match=r"took more than 0\.3 seconds"):
        seen = lamps.detect(
            [slow, as_file(street), slow, as_file(street)],
            on_error="skip",
            threads=1,
            limits=Limits(seconds=0.3),
        )
    assert [one.source for one in seen] == ["image 1", "image 3"]
    assert time.monotonic() - began < 20


def test_images_in_flight_keep_to_the_memory_there_is(lamps, as_file, monkeypatch):
    """Eight images of 200 x 200 take 280 kB each while they are decoded; 600 kB hold two, and one
    more in its turn."""
    data = as_file(np.full((200, 200, 3), 20, np.uint8))
    at_work, most, lock = set(), 0, threading.Lock()

    def load(self, load=PngImagePlugin.PngImageFile.load):
        nonlocal most
        with lock:
            at_work.add(threading.get_ident())
            most = max(most, len(at_work))
        time.sleep(0.02)
        found = load(self)
        with lock:
            at_work.discard(threading.get_ident())
        return found

    monkeypatch.setattr(PngImagePlugin.PngImageFile, "load", load)
    seen = lamps.detect([data] * 16, threads=8, limits=Limits(memory=600_000))
    assert len(seen) == 16
    assert most <= 3


@pytest.mark.parametrize("count", [1, 3, 5])
def test_what_reading_lost_is_warned_of_by_name_and_then_by_number(count, lamps, street, as_file):
    frames = [Image.fromarray(street), Image.fromarray(255 - street)]
    file = io.BytesIO()
    frames[0].save(file, "TIFF", save_all=True, append_images=frames[1:])
    with pytest.warns(ImageWarning) as caught:
        lamps.detect([street, *[file.getvalue()] * count])
    told = [str(one.message) for one in caught]
    named = [
        f"Image 'image {number}': It has 2 pages, and only the first is read."
        for number in (1, 2, 3)
    ]
    rest = (
        ["2 more images have more frames or pages than the first, which is read."]
        if count == 5
        else []
    )
    assert told == named[:count] + rest
