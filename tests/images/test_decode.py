"""Every mode Pillow knows becomes the right RGB, upright; what is too large or broken is refused by
name."""

import io
import logging
import threading
import warnings
from contextlib import suppress

import numpy as np
import PIL.Image
import pytest
import torch
from PIL import ImageCms, ImageOps, TiffImagePlugin

from zoo.errors import ImageError
from zoo.images import Limits, read, rgb
from zoo.images.decode import quiet

ORIENTATION = 0x0112
TURN = {
    2: PIL.Image.Transpose.FLIP_LEFT_RIGHT,
    3: PIL.Image.Transpose.ROTATE_180,
    4: PIL.Image.Transpose.FLIP_TOP_BOTTOM,
    5: PIL.Image.Transpose.TRANSPOSE,
    6: PIL.Image.Transpose.ROTATE_90,
    7: PIL.Image.Transpose.TRANSVERSE,
    8: PIL.Image.Transpose.ROTATE_270,
}  # how an upright image has to be stored, so that the tag makes it upright again


def planes(image):
    return torch.from_numpy(np.array(image.convert("RGB"))).permute(2, 0, 1)


def tagged(orientation):
    exif = PIL.Image.Exif()
    exif[ORIENTATION] = orientation
    return exif


@pytest.mark.parametrize(
    "mode", ["RGB", "RGBA", "RGBX", "L", "LA", "1", "P", "PA", "CMYK", "YCbCr", "HSV"]
)
def test_a_mode_becomes_what_pillow_makes_of_it(mode, pixels):
    image = PIL.Image.fromarray(pixels).convert(mode)
    assert torch.equal(read(image).pixels, planes(image))


@pytest.mark.parametrize(("premultiplied", "straight"), [("La", "LA"), ("RGBa", "RGBA")])
def test_premultiplied_alpha_is_divided_out(premultiplied, straight, pixels):
    alpha = np.full((9, 14), 100, np.uint8)
    image = PIL.Image.fromarray(np.dstack([pixels, alpha])).convert(straight).convert(premultiplied)
    assert torch.equal(read(image).pixels, planes(image.convert(straight)))


def test_lab_becomes_rgb(pixels):
    lab = PIL.Image.fromarray(pixels).convert("LAB")
    to_rgb = ImageCms.buildTransform(
        ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB"), "LAB", "RGB"
    )
    assert torch.equal(read(lab).pixels, planes(ImageCms.applyTransform(lab, to_rgb)))


def test_alpha_is_dropped_not_composited(pixels, encode):
    rgba = np.dstack([pixels, np.zeros((9, 14), np.uint8)])
    assert torch.equal(
        read(encode(PIL.Image.fromarray(rgba))).pixels, planes(PIL.Image.fromarray(pixels))
    )


@pytest.mark.parametrize("transparency", [3, bytes(range(200))])
def test_a_palette_with_transparency_keeps_its_colors(transparency, pixels, encode):
    image = PIL.Image.fromarray(pixels).quantize(200)
    plain = planes(image)
    data = encode(image, transparency=transparency)
    assert PIL.Image.open(io.BytesIO(data)).info["transparency"] is not None
    assert torch.equal(read(data).pixels, plain)


def test_a_pil_image_is_left_as_it_was(pixels, encode):
    image = PIL.Image.open(
        io.BytesIO(
            encode(
                PIL.Image.fromarray(pixels).quantize(16),
                transparency=bytes(range(16)),
                exif=tagged(6),
            )
        )
    )
    image.load()
    info, mode, data = dict(image.info), image.mode, image.tobytes()
    read(image)
    assert (image.info, image.mode, image.tobytes()) == (info, mode, data)
    assert image.getexif()[ORIENTATION] == 6


@pytest.mark.parametrize("format", ["PNG", "TIFF"])
def test_16_bit_gray_is_scaled_not_cut(format, encode):
    deep = np.array([[0, 128, 129, 257, 32768, 65278, 65535]], np.uint16)
    got = read(encode(PIL.Image.fromarray(deep), format)).pixels
    assert got[:, 0].tolist() == [[0, 0, 1, 1, 128, 254, 255]] * 3


@pytest.mark.parametrize(("dtype", "mode"), [(np.int32, "I"), (np.float32, "F")])
@pytest.mark.parametrize(
    "values", [[0, 257, 65535], [0, 1, 1], [0, 100, 255], [0, 70000, 1], [-1, 5, 1]]
)
def test_gray_whose_white_nobody_knows_is_refused(dtype, mode, values, encode):
    image = PIL.Image.fromarray(np.array([values], dtype))
    assert image.mode == mode
    for source in (image, encode(image, "TIFF")):
        with pytest.raises(
            ImageError,
            match=(
                f"mode {mode}.* from {min(values)} to {max(values)}, and nothing says what is white"
            ),
        ):
            read(source)


@pytest.mark.parametrize(("tag", "dtype", "white"), [(281, np.int32, 4095), (341, np.float32, 2.0)])
def test_a_tiff_may_say_what_is_white(tag, dtype, white, encode):
    info = TiffImagePlugin.ImageFileDirectory_v2()
    info[tag] = white
    info.tagtype[tag] = {np.int32: 4, np.float32: 11}[dtype]
    values = np.array([[0, white / 2, white]], dtype)
    data = encode(PIL.Image.fromarray(values), "TIFF", tiffinfo=info)
    assert read(data).pixels[0, 0].tolist() == [0, round(values[0, 1] * 255 / white), 255]
    values[0, 0] = white * 2
    with pytest.raises(ImageError, match="outside 0"):
        read(encode(PIL.Image.fromarray(values), "TIFF", tiffinfo=info))


@pytest.mark.parametrize("value", [np.nan, np.inf, -0.5])
def test_floats_outside_of_what_a_tiff_says_are_refused(value, encode):
    info = TiffImagePlugin.ImageFileDirectory_v2()
    info[341] = 1.0
    info.tagtype[341] = 11
    with pytest.raises(ImageError, match=r"outside 0\.\.1"):
        read(encode(PIL.Image.fromarray(np.array([[0, value]], np.float32)), "TIFF", tiffinfo=info))


def test_a_pgm_of_ten_bits_is_scaled_by_its_own_white():
    data = b"P5 3 1 1023\n" + np.array([0, 512, 1023], ">u2").tobytes()
    assert read(data).pixels[0, 0].tolist() == [0, 128, 255]


def test_a_cmyk_jpeg_of_adobes_kind_is_not_inverted(encode):
    white = PIL.Image.new("CMYK", (16, 16), (0, 0, 0, 0))
    jpeg = encode(white, "JPEG", quality=95)
    assert b"Adobe" in jpeg
    assert read(jpeg).pixels.min() > 250


@pytest.mark.parametrize("format", ["JPEG", "PNG", "TIFF", "WEBP"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_turned_file_with_its_tag_equals_the_upright_one(orientation, format, encode):
    # Blocks of 16 pixels survive JPEG's blocks of 8 and 16 being turned.
    rng = np.random.default_rng(3)
    upright = PIL.Image.fromarray(
        np.kron(rng.integers(0, 256, (2, 3, 3)), np.ones((16, 16, 1))).astype(np.uint8)
    )
    stored = upright.transpose(TURN[orientation]) if orientation > 1 else upright
    options = {"WEBP": {"lossless": True}, "JPEG": {"quality": 100, "subsampling": 0}}.get(
        format, {}
    )
    data = encode(stored, format, exif=tagged(orientation), **options)
    image = read(data)
    assert image.orientation == orientation
    assert torch.equal(
        image.pixels, read(ImageOps.exif_transpose(PIL.Image.open(io.BytesIO(data)))).pixels
    )
    assert (image.pixels.int() - planes(upright).int()).abs().max() <= (
        3 if format == "JPEG" else 0
    )


@pytest.mark.parametrize("format", ["PNG", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_can_be_ignored(orientation, format, pixels, encode):
    data = encode(PIL.Image.fromarray(pixels), format, exif=tagged(orientation))
    image = read(data, exif="ignore")
    assert torch.equal(image.pixels, planes(PIL.Image.fromarray(pixels)))
    assert image.orientation == orientation


@pytest.mark.parametrize("format", ["PNG", "JPEG", "TIFF"])
def test_a_pil_image_is_turned_by_the_exif_it_carries(format, pixels, encode, tmp_path):
    data = encode(PIL.Image.fromarray(pixels), format, exif=tagged(6))
    assert torch.equal(read(PIL.Image.open(io.BytesIO(data))).pixels, read(data).pixels)
    assert read(data).size == (14, 9)


@pytest.mark.parametrize("exif", [b"Exif\0\0garbage", b"Exif\0\0II*\0\xff\xff\xff\xff", b""])
def test_exif_that_makes_no_sense_is_no_exif(exif, pixels, encode):
    image = read(encode(PIL.Image.fromarray(pixels), exif=exif))
    assert image.orientation == 1
    assert image.size == (9, 14)


def test_an_orientation_outside_1_to_8_is_upright(pixels, encode):
    assert read(encode(PIL.Image.fromarray(pixels), exif=tagged(42))).orientation == 1


@pytest.mark.parametrize("format", ["GIF", "PNG", "WEBP", "TIFF", "AVIF"])
def test_the_first_frame_of_an_animation_is_read_and_that_there_are_more_is_said(format, encode):
    frames = [PIL.Image.new("RGB", (16, 16), color) for color in ("#ff0000", "#00ff00", "#0000ff")]
    image = read(encode(frames[0], format, save_all=True, append_images=frames[1:]))
    assert image.animated
    assert image.pixels[0].min() > 245
    assert image.pixels[1:].max() < 10
    assert not read(encode(frames[0], format)).animated


def test_a_pil_image_is_taken_at_its_current_frame(encode):
    frames = [PIL.Image.new("RGB", (4, 4), color) for color in ("#ff0000", "#00ff00")]
    image = PIL.Image.open(
        io.BytesIO(encode(frames[0], "GIF", save_all=True, append_images=frames[1:]))
    )
    image.seek(1)
    assert read(image).pixels[:, 0, 0].tolist() == [0, 255, 0]
    assert image.tell() == 1


def test_color_profiles_are_not_applied(pixels, encode):
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    assert torch.equal(
        read(encode(PIL.Image.fromarray(pixels), icc_profile=profile)).pixels,
        planes(PIL.Image.fromarray(pixels)),
    )


@pytest.mark.parametrize("size", [(1, 1), (20000, 10), (10, 20000), (1, 3000)])
def test_extreme_sizes_are_images(size, encode):
    width, height = size
    assert read(encode(PIL.Image.new("RGB", size, "#010203"))).pixels.shape == (3, height, width)


def test_the_limit_of_pixels_refuses_before_decoding(encode):
    data = encode(PIL.Image.new("RGB", (100, 60)))
    assert read(data, limits=Limits(pixels=6000)).size == (60, 100)
    for source in (data, PIL.Image.open(io.BytesIO(data))):
        with pytest.raises(ImageError, match=r"100 x 60 pixels; the limit is 5,999\.") as caught:
            read(source, limits=Limits(pixels=5999))
    assert (
        "limits=zoo.images.Limits(pixels=400_000_000), or ZOO_IMAGE_PIXELS=400M" in caught.value.fix
    )
    assert "--limit pixels=400M" in caught.value.fix_cli


def test_without_a_limit_of_pixels_pillows_own_holds_and_with_one_it_does_not(encode, monkeypatch):
    monkeypatch.setattr(PIL.Image, "MAX_IMAGE_PIXELS", 1000)
    with pytest.raises(ImageError, match=r"too large to decode unasked.*2500 pixels"):
        read(encode(PIL.Image.new("RGB", (50, 50))))
    assert read(encode(PIL.Image.new("RGB", (50, 30)))).size == (
        30,
        50,
    )  # of which Pillow would warn
    assert read(encode(PIL.Image.new("RGB", (50, 50))), limits=Limits(pixels=2500)).size == (50, 50)
    assert PIL.Image.MAX_IMAGE_PIXELS == 1000


def test_pillows_own_settings_are_left_alone(pixels, encode):
    with warnings.catch_warnings(record=True):
        before = PIL.Image.MAX_IMAGE_PIXELS, list(warnings.filters)
        read(encode(PIL.Image.fromarray(pixels)), limits=Limits(pixels=1000))
        assert (PIL.Image.MAX_IMAGE_PIXELS, list(warnings.filters)) == before


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("mode", ["RGB", "L", "P", "CMYK", "I;16", "1"])
def test_a_large_image_is_converted_in_strips_and_is_the_same(
    mode, orientation, pixels, encode, monkeypatch
):
    image = (
        PIL.Image.fromarray(np.full((9, 14), 40000, np.uint16) + pixels[..., 0])
        if mode == "I;16"
        else None
    )
    image = image or PIL.Image.fromarray(pixels).convert(mode)
    data = encode(image, "TIFF", exif=tagged(orientation))
    whole = read(data)
    monkeypatch.setattr(rgb, "STRIP_PIXELS", 30)
    assert torch.equal(read(data).pixels, whole.pixels)


def test_a_drawing_is_not_handed_to_another_program(pixels, encode):
    with pytest.raises(ImageError, match="EPS, a drawing"):
        read(encode(PIL.Image.fromarray(pixels), "EPS"))


LOGGER = logging.getLogger("PIL.TiffImagePlugin")


def warn(module: str) -> None:
    warnings.warn_explicit("odd", UserWarning, "file.py", 1, module=module)


def test_only_warnings_of_pillow_are_silent() -> None:
    with quiet():
        warn("PIL.Image")
        with pytest.warns(UserWarning, match="odd"):
            warn("mine")
    with pytest.warns(UserWarning, match="odd"):
        warn("PIL.Image")


def test_filters_logs_and_limits_come_back_even_after_an_error() -> None:
    before = list(warnings.filters), LOGGER.disabled, PIL.Image.MAX_IMAGE_PIXELS
    with suppress(ValueError), quiet(pixels=10**12):
        assert LOGGER.disabled
        assert PIL.Image.MAX_IMAGE_PIXELS == 10**12
        raise ValueError
    assert (list(warnings.filters), LOGGER.disabled, PIL.Image.MAX_IMAGE_PIXELS) == before


def test_pillow_s_limit_is_never_lowered() -> None:
    before = PIL.Image.MAX_IMAGE_PIXELS
    with quiet(pixels=5):
        assert before == PIL.Image.MAX_IMAGE_PIXELS


def test_the_last_one_out_takes_it_back() -> None:
    inside, leave = threading.Event(), threading.Event()

    def stay() -> None:
        with quiet():
            inside.set()
            leave.wait(10)

    thread = threading.Thread(target=stay)
    thread.start()
    assert inside.wait(10)
    with quiet():
        pass
    warn("PIL.Image")  # silent still: somebody is inside
    leave.set()
    thread.join()
    with pytest.warns(UserWarning, match="odd"):
        warn("PIL.Image")
