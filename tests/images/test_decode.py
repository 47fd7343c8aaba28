"""Every mode Pillow knows becomes the right RGB, upright; what is too large or broken is refused by name."""

import io
import warnings

import numpy as np
import pytest
import torch
from PIL import Image, ImageCms, ImageOps

from zoo.errors import ImageError
from zoo.images import read

ORIENTATION = 0x0112
TURN = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}  # how an upright picture has to be stored, so that the tag makes it upright again


def planes(image):
    return torch.from_numpy(np.array(image.convert("RGB"))).permute(2, 0, 1)


def tagged(orientation):
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    return exif


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "RGBX", "L", "LA", "1", "P", "PA", "CMYK", "YCbCr", "HSV"])
def test_a_mode_becomes_what_pillow_makes_of_it(mode, pixels):
    image = Image.fromarray(pixels).convert(mode)
    assert torch.equal(read(image).pixels, planes(image))


@pytest.mark.parametrize(("premultiplied", "straight"), [("La", "LA"), ("RGBa", "RGBA")])
def test_premultiplied_alpha_is_divided_out(premultiplied, straight, pixels):
    alpha = np.full((9, 14), 100, np.uint8)
    image = Image.fromarray(np.dstack([pixels, alpha])).convert(straight).convert(premultiplied)
    assert torch.equal(read(image).pixels, planes(image.convert(straight)))


def test_lab_becomes_rgb(pixels):
    lab = Image.fromarray(pixels).convert("LAB")
    to_rgb = ImageCms.buildTransform(ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB"), "LAB", "RGB")
    assert torch.equal(read(lab).pixels, planes(ImageCms.applyTransform(lab, to_rgb)))


def test_alpha_is_dropped_not_composited(pixels, encode):
    rgba = np.dstack([pixels, np.zeros((9, 14), np.uint8)])
    assert torch.equal(read(encode(Image.fromarray(rgba))).pixels, planes(Image.fromarray(pixels)))


@pytest.mark.parametrize("transparency", [3, bytes(range(200))])
def test_a_palette_with_transparency_keeps_its_colors(transparency, pixels, encode):
    image = Image.fromarray(pixels).quantize(200)
    plain = planes(image)
    data = encode(image, transparency=transparency)
    assert Image.open(io.BytesIO(data)).info["transparency"] is not None
    assert torch.equal(read(data).pixels, plain)


def test_a_pil_image_is_left_as_it_was(pixels, encode):
    image = Image.open(io.BytesIO(encode(Image.fromarray(pixels).quantize(16), transparency=bytes(range(16)), exif=tagged(6))))
    image.load()
    info, mode, data = dict(image.info), image.mode, image.tobytes()
    read(image)
    assert (image.info, image.mode, image.tobytes()) == (info, mode, data)
    assert image.getexif()[ORIENTATION] == 6


@pytest.mark.parametrize("format", ["PNG", "TIFF"])
def test_16_bit_gray_is_scaled_not_cut(format, encode):
    deep = np.array([[0, 128, 129, 257, 32768, 65278, 65535]], np.uint16)
    got = read(encode(Image.fromarray(deep), format)).pixels
    assert got[:, 0].tolist() == [[0, 0, 1, 1, 128, 254, 255]] * 3


def test_16_bit_gray_in_32_bit_integers_is_scaled_alike():
    deep = np.array([[0, 257, 65535]], np.int32)
    assert read(Image.fromarray(deep)).pixels[0].tolist() == [[0, 1, 255]]


@pytest.mark.parametrize(("values", "expected"), [([0, 0.5, 1], [0, 128, 255]), ([0, 100, 255], [0, 100, 255])])
def test_float_gray_is_0_to_1_or_pillows_0_to_255(values, expected):
    image = Image.fromarray(np.array([values], np.float32))
    assert image.mode == "F"
    assert read(image).pixels[1].tolist() == [expected]


@pytest.mark.parametrize("values", [[0, 70000], [-1, 5]])
def test_integers_of_unknown_range_are_refused(values):
    with pytest.raises(ImageError, match="what is white is not known"):
        read(Image.fromarray(np.array([values], np.int32)))


@pytest.mark.parametrize("values", [[0, 300], [-0.5, 1], [0, np.nan], [0, np.inf]])
def test_floats_of_unknown_range_are_refused(values):
    with pytest.raises(ImageError, match="what is white is not known"):
        read(Image.fromarray(np.array([values], np.float32)))


def test_a_cmyk_jpeg_of_adobes_kind_is_not_inverted(encode):
    white = Image.new("CMYK", (16, 16), (0, 0, 0, 0))
    jpeg = encode(white, "JPEG", quality=95)
    assert b"Adobe" in jpeg
    assert read(jpeg).pixels.min() > 250


@pytest.mark.parametrize("format", ["JPEG", "PNG", "TIFF", "WEBP"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_turned_file_with_its_tag_equals_the_upright_one(orientation, format, encode):
    # Blocks of 16 pixels survive JPEG's blocks of 8 and 16 being turned.
    rng = np.random.default_rng(3)
    upright = Image.fromarray(np.kron(rng.integers(0, 256, (2, 3, 3)), np.ones((16, 16, 1))).astype(np.uint8))
    stored = upright.transpose(TURN[orientation]) if orientation > 1 else upright
    options = {"WEBP": {"lossless": True}, "JPEG": {"quality": 100, "subsampling": 0}}.get(format, {})
    data = encode(stored, format, exif=tagged(orientation), **options)
    picture = read(data)
    assert picture.orientation == orientation
    assert torch.equal(picture.pixels, read(ImageOps.exif_transpose(Image.open(io.BytesIO(data)))).pixels)
    assert (picture.pixels.int() - planes(upright).int()).abs().max() <= (3 if format == "JPEG" else 0)


@pytest.mark.parametrize("format", ["PNG", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_can_be_ignored(orientation, format, pixels, encode):
    data = encode(Image.fromarray(pixels), format, exif=tagged(orientation))
    picture = read(data, exif="ignore")
    assert torch.equal(picture.pixels, planes(Image.fromarray(pixels)))
    assert picture.orientation == orientation


@pytest.mark.parametrize("format", ["PNG", "JPEG", "TIFF"])
def test_a_pil_image_is_turned_by_the_exif_it_carries(format, pixels, encode, tmp_path):
    data = encode(Image.fromarray(pixels), format, exif=tagged(6))
    assert torch.equal(read(Image.open(io.BytesIO(data))).pixels, read(data).pixels)
    assert read(data).size == (14, 9)


@pytest.mark.parametrize("exif", [b"Exif\0\0garbage", b"Exif\0\0II*\0\xff\xff\xff\xff", b""])
def test_exif_that_makes_no_sense_is_no_exif(exif, pixels, encode):
    picture = read(encode(Image.fromarray(pixels), exif=exif))
    assert picture.orientation == 1
    assert picture.size == (9, 14)


def test_an_orientation_outside_1_to_8_is_upright(pixels, encode):
    assert read(encode(Image.fromarray(pixels), exif=tagged(42))).orientation == 1


@pytest.mark.parametrize("format", ["GIF", "PNG", "WEBP", "TIFF", "AVIF"])
def test_the_first_frame_of_an_animation_is_read_and_that_there_are_more_is_said(format, encode):
    frames = [Image.new("RGB", (16, 16), color) for color in ("#ff0000", "#00ff00", "#0000ff")]
    picture = read(encode(frames[0], format, save_all=True, append_images=frames[1:]))
    assert picture.animated
    assert picture.pixels[0].min() > 245
    assert picture.pixels[1:].max() < 10
    assert not read(encode(frames[0], format)).animated


def test_a_pil_image_is_taken_at_its_current_frame(encode):
    frames = [Image.new("RGB", (4, 4), color) for color in ("#ff0000", "#00ff00")]
    image = Image.open(io.BytesIO(encode(frames[0], "GIF", save_all=True, append_images=frames[1:])))
    image.seek(1)
    assert read(image).pixels[:, 0, 0].tolist() == [0, 255, 0]
    assert image.tell() == 1


def test_color_profiles_are_not_applied(pixels, encode):
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    assert torch.equal(read(encode(Image.fromarray(pixels), icc_profile=profile)).pixels, planes(Image.fromarray(pixels)))


@pytest.mark.parametrize("size", [(1, 1), (20000, 10), (10, 20000), (1, 3000)])
def test_extreme_sizes_are_pictures(size, encode):
    width, height = size
    assert read(encode(Image.new("RGB", size, "#010203"))).pixels.shape == (3, height, width)


def test_max_pixels_refuses_before_decoding(encode):
    data = encode(Image.new("RGB", (100, 60)))
    assert read(data, max_pixels=6000).size == (60, 100)
    with pytest.raises(ImageError, match="100 x 60 pixels, more than max_pixels=5999"):
        read(data, max_pixels=5999)
    with pytest.raises(ImageError, match="max_pixels"):
        read(Image.open(io.BytesIO(data)), max_pixels=5999)


def test_without_max_pixels_pillows_own_limit_holds(encode, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    with pytest.raises(ImageError, match=r"too large to decode unasked.*2500 pixels"):
        read(encode(Image.new("RGB", (50, 50))))
    with pytest.warns(Image.DecompressionBombWarning):
        assert read(encode(Image.new("RGB", (50, 30)))).size == (30, 50)


def test_pillows_own_settings_are_left_alone(pixels, encode):
    with warnings.catch_warnings(record=True):
        before = Image.MAX_IMAGE_PIXELS, list(warnings.filters)
        read(encode(Image.fromarray(pixels)), max_pixels=1000)
        assert (Image.MAX_IMAGE_PIXELS, list(warnings.filters)) == before


def test_a_drawing_is_not_handed_to_another_program(pixels, encode):
    with pytest.raises(ImageError, match="EPS, a drawing"):
        read(encode(Image.fromarray(pixels), "EPS"))
