"""One image in every form gives the same pixels; what can't be read is named."""

import io
import itertools
import os
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
import torch

from zoo.errors import ImageError
from zoo.images import expand, is_many, read


def test_every_form_of_an_image_gives_the_same_pixels(pixels, encode, tmp_path, web):
    png = encode(PIL.Image.fromarray(pixels))
    path = tmp_path / "photo.png"
    path.write_bytes(png)

    def send(request):
        request.send_response(200)
        request.end_headers()
        request.wfile.write(png)

    chw = torch.from_numpy(pixels).permute(2, 0, 1)
    forms = [
        str(path),
        path,
        web(send),
        png,
        bytearray(png),
        memoryview(png),
        memoryview(png[::-1])[::-1],
        PIL.Image.open(path),
        PIL.Image.fromarray(pixels),
    ]
    forms += [
        pixels,
        pixels / 255,
        np.flip(pixels, 2)[..., ::-1],
        chw,
        chw.contiguous(),
        chw / 255,
        chw.double() / 255,
    ]
    for form in forms:
        image = read(form)
        assert torch.equal(image.pixels, chw), type(form)
        assert image.pixels.dtype == torch.uint8
        assert image.pixels.is_contiguous()
        assert image.size == (9, 14)


def test_a_jpeg_is_decoded_alike_from_path_bytes_and_pil(pixels, encode, tmp_path):
    jpeg = encode(PIL.Image.fromarray(pixels), "JPEG", quality=80)
    (tmp_path / "photo.jpg").write_bytes(jpeg)
    expected = torch.from_numpy(np.array(PIL.Image.open(io.BytesIO(jpeg)))).permute(2, 0, 1)
    for form in (tmp_path / "photo.jpg", jpeg, PIL.Image.open(tmp_path / "photo.jpg")):
        assert torch.equal(read(form).pixels, expected)


def test_an_image_knows_its_path_as_it_was_given(pixels, tmp_path, monkeypatch):
    PIL.Image.fromarray(pixels).save(tmp_path / "photo.png")
    monkeypatch.chdir(tmp_path)
    assert read("photo.png").source == "photo.png"
    assert read(Path("photo.png")).source == "photo.png"
    assert read(PIL.Image.open("photo.png")).source == "photo.png"
    assert read(pixels).source == "image"
    assert read(pixels, name="image 3").source == "image 3"


def test_a_ready_tensor_is_not_copied(pixels):
    tensor = torch.from_numpy(pixels).permute(2, 0, 1).contiguous()
    assert read(tensor).pixels.data_ptr() == tensor.data_ptr()


def test_an_array_is_not_shared(pixels):
    image = read(pixels)
    before = image.pixels.clone()
    pixels[:] = 0
    assert torch.equal(image.pixels, before)


def test_a_missing_file_is_refused_with_the_folder_it_was_looked_for_from(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(
        ImageError, match=r"'no\.jpg'.*\n.*no such file.*\n.*" + str(tmp_path)
    ) as caught:
        read("no.jpg")
    assert caught.value.file == "no.jpg"


def test_a_missing_file_with_a_whole_path_was_looked_for_nowhere_else(tmp_path):
    with pytest.raises(ImageError, match=r"Check the path\.$"):
        read(tmp_path / "no.jpg")


def test_a_file_url_is_the_path_in_it(pixels, tmp_path):
    PIL.Image.fromarray(pixels).save(tmp_path / "my photo.png")
    assert torch.equal(read((tmp_path / "my photo.png").as_uri()).pixels, read(pixels).pixels)


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("ftp://host/a.jpg", "begins with ftp:(.|\n)*Download it first"),
        ("S3://bucket/a*.jpg", "begins with s3:(.|\n)*Download it first"),
        ("file://host/a.jpg", "begins with file:(.|\n)*the path itself"),
        ("data:image/png;base64,iVBORw0KGgo=", "begins with data:(.|\n)*b64decode"),
    ],
)
def test_an_address_of_another_kind_is_told_apart_from_a_missing_file(address, said):
    with pytest.raises(ImageError, match=said):
        read(address)


def test_a_folder_where_a_file_is_meant_is_refused(pixels, tmp_path):
    PIL.Image.fromarray(pixels).save(tmp_path / "photo.png")
    with pytest.raises(ImageError, match="folder with 1 image"):
        read(tmp_path)


def test_an_empty_folder_is_said_to_be_empty(tmp_path):
    with pytest.raises(ImageError, match="no file in it has an image's suffix"):
        read(tmp_path)


def test_a_glob_without_matches_says_so(tmp_path):
    with pytest.raises(ImageError, match="pattern matches no file"):
        read(tmp_path / "*.jpg")


def test_an_unreadable_path_is_refused_with_the_reason():
    for path in ("a\0b.jpg", "x" * 5000):
        with pytest.raises(ImageError, match="can't be opened"):
            read(path)


def test_an_unfinished_opencv_read_is_recognised():
    with pytest.raises(ImageError, match=r"cv2\.imread"):
        read(None)


def test_an_open_file_and_other_things_are_refused_with_what_to_pass():
    with pytest.raises(ImageError, match=r"file\.read\(\)"):
        read(io.BytesIO(b""))
    with pytest.raises(ImageError, match="It is an int"):
        read(3)


@pytest.mark.parametrize(
    ("source", "said"),
    [({"a": "a.jpg"}, r"a dict(.|\n)*list\(images\.values"), ({"a.jpg"}, r"a set(.|\n)*sorted")],
)
def test_what_has_no_images_or_no_order_is_told_what_has(source, said):
    with pytest.raises(ImageError, match=said):
        read(source)


def test_an_unknown_exif_setting_is_refused(pixels):
    with pytest.raises(ValueError, match=r"'apply'.*'ignore'"):
        read(pixels, exif="upright")


@pytest.fixture
def album(tmp_path):
    for name in (
        "b2.png",
        "b10.png",
        "A1.JPG",
        ".hidden.png",
        "notes.txt",
        "deep/c.webp",
        "deep/deeper/d.png",
        "dir.png/e.png",
    ):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.touch()
    return tmp_path


def names(album, found):
    return [Path(path).relative_to(album).as_posix() for path in found]


def test_a_folder_gives_its_images_in_natural_order(album):
    assert names(album, expand(album)) == ["A1.JPG", "b2.png", "b10.png"]
    assert names(album, expand(str(album))) == ["A1.JPG", "b2.png", "b10.png"]


def test_a_glob_gives_its_images_in_natural_order(album):
    assert names(album, expand(album / "b*")) == ["b2.png", "b10.png"]
    assert names(album, expand(album / "*")) == ["A1.JPG", "b2.png", "b10.png"]


def test_two_stars_go_down(album):
    found = names(album, expand(album / "**"))
    assert found == [
        "A1.JPG",
        "b2.png",
        "b10.png",
        "deep/c.webp",
        "deep/deeper/d.png",
        "dir.png/e.png",
    ]


def test_a_list_may_mix_everything(album, pixels):
    tensor = torch.zeros(3, 2, 2, dtype=torch.uint8)
    mixed = [
        album / "b2.png",
        pixels,
        str(album / "b*.png"),
        tensor,
        b"bytes",
        "https://host/a*b.jpg?x=[1]",
    ]
    found = list(expand(mixed))
    assert names(album, [found[0], *found[2:4]]) == ["b2.png", "b2.png", "b10.png"]
    assert found[1] is pixels
    assert found[4] is tensor
    assert found[5:] == [b"bytes", "https://host/a*b.jpg?x=[1]"]


def test_a_folder_may_be_a_file_url(album):
    assert is_many(album.as_uri())
    assert names(album, expand(album.as_uri())) == ["A1.JPG", "b2.png", "b10.png"]


@pytest.mark.parametrize(
    "one", [{"a": "b.png"}, {"b.png"}, None, 5], ids=["dict", "set", "None", "int"]
)
def test_what_is_no_series_stays_one(one):
    assert not is_many(one)
    assert list(expand(one)) == [one]


def test_a_file_whose_name_looks_like_a_pattern_is_a_file(album):
    (album / "x[1].png").touch()
    (album / "x1.png").touch()
    assert names(album, expand(album / "x[1].png")) == ["x[1].png"]
    assert not is_many(album / "x[1].png")


def test_a_generator_is_pulled_one_at_a_time(pixels):
    pulled = itertools.count()
    endless = expand((next(pulled), pixels)[1] for _ in itertools.count())
    next(endless)
    next(endless)
    assert next(pulled) == 2


@pytest.mark.parametrize("nothing", ["empty", "empty/*.png", "missing.png", "missing/**"])
def test_what_gives_no_image_stays_in_its_place_to_be_refused_when_read(nothing, album):
    (album / "empty").mkdir()
    nowhere = str(album / nothing)
    found = list(expand([album / "b2.png", nowhere, album / "b10.png"]))
    assert found[1] == nowhere
    assert len(found) == 3
    with pytest.raises(ImageError):
        read(nowhere)


def test_a_folder_that_may_not_be_read_stays_in_its_place_to_be_refused(album, monkeypatch):
    def locked(path):
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr(
        os, "scandir", locked
    )  # the superuser, as whom tests may run, is never denied
    assert list(expand([album])) == [str(album)]
    with pytest.raises(ImageError, match=r"folder that can't be opened: .*Permission denied"):
        read(album)


def test_one_image_is_told_from_many(album):
    one = [
        album / "b2.png",
        str(album / "no.png"),
        "http://host/*.png",
        b"x",
        bytearray(),
        memoryview(b""),
    ]
    one += [np.zeros((2, 2)), torch.zeros(2, 2, 2, 2), PIL.Image.new("L", (2, 2)), None, open]
    many = [
        album,
        str(album / "*.png"),
        [],
        (),
        iter([]),
        (b"" for _ in range(2)),
        {"a": 1}.values(),
    ]
    assert [is_many(source) for source in one] == [False] * len(one)
    assert [is_many(source) for source in many] == [True] * len(many)


def test_the_home_folder_is_spelled_with_a_tilde(album, monkeypatch):
    monkeypatch.setenv("HOME", str(album))
    PIL.Image.new("RGB", (3, 2)).save(album / "b2.png")
    assert is_many("~")
    assert names(album, expand("~/*.png")) == ["b2.png", "b10.png"]
    assert read("~/b2.png").size == (2, 3)
