"""Finds the image in a request: raw bytes, a file of a form, base64 in JSON, or a URL."""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass

import msgspec

from zoo import limits as documents
from zoo.serve.form import parse_form
from zoo.serve.refusal import Refusal

RAW = ("application/octet-stream", "binary/octet-stream")
FORM, JSON = "multipart/form-data", "application/json"
MAX_NAME_CHARACTERS = 1000  # characters
JSON_DEPTH = 8
UNREADABLE_IMAGE = "The image in the request can't be read."
FORMS = (
    "Send the image's bytes as image/jpeg or another image type, a form with one file called "
    'image, or JSON such as {"image": "BASE64"}.'
)
PARAMETERS = "Parameters stand in the address: /v1/detect?score=0.5"
_DATA_URL = re.compile(r"data:[\w.+/;=-]{0,100}?;base64,", re.ASCII)


class Body(msgspec.Struct, forbid_unknown_fields=True):
    """The JSON of a request: `image` or `url`."""

    image: str | None = None
    url: str | None = None
    file: str | None = None


@dataclass(frozen=True)
class Upload:
    """The bytes of an image, or its URL, and its name if the request has one."""

    data: bytes
    url: str | None = None
    file: str | None = None


def kind_of(content_type: str) -> str:
    """`raw`, `form` or `json`. Raises: Refusal (415) for another content type."""
    kind = content_type.partition(";")[0].strip().lower()
    if not kind or kind in RAW or kind.startswith("image/"):
        return "raw"
    if kind == FORM:
        return "form"
    if kind == JSON:
        return "json"
    raise Refusal(415, UNREADABLE_IMAGE, f"Its content type is '{kind:.100}'.", FORMS)


def parse(body: bytes, content_type: str) -> Upload:
    """The image in a body.

    Raises: Refusal: 415 for another content type, 400 if the body is broken, 422 if it holds no
        image.
    """
    kind = kind_of(content_type)
    if kind == "raw":
        upload = Upload(body)
    elif kind == "form":
        upload = Upload(*_file_of(body, content_type))
    else:
        upload = _of_json(body)
    if not upload.data and upload.url is None:
        raise Refusal(422, UNREADABLE_IMAGE, "It is empty: 0 bytes.", FORMS)
    if upload.file is not None and len(upload.file) > MAX_NAME_CHARACTERS:
        case = f"Its name has more than {MAX_NAME_CHARACTERS:,} characters."
        raise Refusal(422, UNREADABLE_IMAGE, case, "Shorten the name, or leave it out.")
    return upload


def _file_of(body: bytes, content_type: str) -> tuple[bytes, None, str | None]:
    parts = parse_form(body, content_type)
    others = sorted({part.name for part in parts} - {"image"})
    if others:
        case = f"The form has a field called '{others[0]:.100}', which nothing reads."
        raise Refusal(422, UNREADABLE_IMAGE, case, f"Send one field, image. {PARAMETERS}")
    if len(parts) != 1:
        case = f"The form has {len(parts)} fields called image."
        raise Refusal(422, UNREADABLE_IMAGE, case, "Send one: curl -F image=@street.jpg URL")
    return parts[0].data, None, parts[0].file


def _of_json(body: bytes) -> Upload:
    fix = 'Send JSON such as {"image": "BASE64"} or, where URLs are allowed, {"url": "https://…"}.'
    try:
        documents.check_json(body, depth=JSON_DEPTH)
        sent = msgspec.json.decode(body, type=Body)
    except msgspec.ValidationError as error:  # is a DecodeError too
        case = f"The JSON does not fit: {error}."
        raise Refusal(422, UNREADABLE_IMAGE, case, f"{fix} {PARAMETERS}") from None
    except (documents.LimitError, *documents.UNREADABLE) as error:
        raise Refusal(400, UNREADABLE_IMAGE, f"It is not JSON: {error}", fix) from None
    if (sent.image is None) == (sent.url is None):
        raise Refusal(
            422, UNREADABLE_IMAGE, "The JSON has to have image or url, and not both.", fix
        )
    if sent.image is None:
        return Upload(b"", sent.url, sent.file)
    text = sent.image
    if prefix := _DATA_URL.match(text):
        text = text[prefix.end() :]
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        case = f"The text in image is not base64: {error}."
        raise Refusal(422, UNREADABLE_IMAGE, case, "Encode it as: base64 -w0 street.jpg") from None
    return Upload(data, None, sent.file)
