"""Parses a `multipart/form-data` body in memory, without temporary files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from zoo.serve.refusal import Refusal

UNREADABLE_FORM = "The form in the request can't be read."
FORM_FIX = "Send it as curl does: curl -F image=@street.jpg URL"
MAX_PARTS = 16


@dataclass
class FormPart:
    """One field of a form. name: the field's; file: the name of the file in it, or None."""

    name: str = ""
    file: str | None = None
    data: bytes = b""


@dataclass
class _Form:
    """Collects parts as the parser finds them."""

    parts: list[FormPart] = field(default_factory=list)
    pieces: list[bytes] = field(default_factory=list)
    header: dict[str, bytes] = field(default_factory=dict)
    key: bytes = b""
    value: bytes = b""
    is_whole: bool = False

    def begin(self) -> None:
        if len(self.parts) >= MAX_PARTS:
            raise Refusal(
                400,
                UNREADABLE_FORM,
                f"It has more than {MAX_PARTS} fields.",
                "Send the image alone.",
            )
        self.parts.append(FormPart())
        self.pieces, self.header = [], {}

    def header_field(self, data: bytes, start: int, end: int) -> None:
        self.key += data[start:end]

    def header_value(self, data: bytes, start: int, end: int) -> None:
        self.value += data[start:end]

    def header_end(self) -> None:
        self.header[self.key.decode("latin-1").lower()] = self.value
        self.key = self.value = b""

    def headers_finished(self) -> None:
        kind, options = parse_options_header(self.header.get("content-disposition", b""))
        if kind != b"form-data" or b"name" not in options:
            case = "A part has no Content-Disposition: form-data with a name."
            raise Refusal(400, UNREADABLE_FORM, case, FORM_FIX)
        encoding = self.header.get("content-transfer-encoding", b"binary").strip().lower()
        if encoding not in (b"binary", b"8bit", b"7bit"):
            raise Refusal(400, UNREADABLE_FORM, "A part has a Content-Transfer-Encoding.", FORM_FIX)
        self.parts[-1].name = options[b"name"].decode(errors="replace")
        if b"filename" in options:
            self.parts[-1].file = options[b"filename"].decode(errors="replace")

    def data(self, data: bytes, start: int, end: int) -> None:
        self.pieces.append(data[start:end])

    def end(self) -> None:
        self.parts[-1].data = b"".join(self.pieces)

    def finish(self) -> None:
        self.is_whole = True


def parse_form(body: bytes, content_type: str) -> list[FormPart]:
    """The parts in their order. Raises: Refusal (400) if the form is broken or cut short."""
    _, options = parse_options_header(content_type)
    if not options.get(b"boundary"):
        raise Refusal(400, UNREADABLE_FORM, "Its content type has no boundary.", FORM_FIX)
    form = _Form()
    callbacks: dict[str, Callable[..., Any]] = {
        "on_part_begin": form.begin,
        "on_part_data": form.data,
        "on_part_end": form.end,
        "on_header_field": form.header_field,
        "on_header_value": form.header_value,
        "on_header_end": form.header_end,
        "on_headers_finished": form.headers_finished,
        "on_end": form.finish,
    }
    try:
        parser = MultipartParser(options[b"boundary"], callbacks)  # type: ignore[arg-type]  # its type lists the callbacks one by one
        parser.write(body)
        parser.finalize()
    except FormParserError as error:
        raise Refusal(400, UNREADABLE_FORM, f"It is broken: {error}", FORM_FIX) from None
    if not form.is_whole:
        raise Refusal(
            400, UNREADABLE_FORM, "It is cut short: its last boundary is missing.", FORM_FIX
        )
    return form.parts
