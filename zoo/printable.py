"""Text from outside the zoo, made safe to show: no terminal command, no forged line, no message of
a megabyte, no password of an address.

File names, server answers, tensor names, cards and other people's entries may hold escape codes and
line breaks. Every error, warning, table and line of the command line passes through `printable`.
"""

from __future__ import annotations

import re

MAX_LINE_LETTERS = 2000  # characters of one line
MAX_LINES = 40  # lines of one list

# Persian and many Indic scripts, and emoji, can't be written without these.
_JOINERS = "\u200c\u200d"
# What stands before a host, also where a password has a / in it, or pathlib has taken one away; an
# address of IPv6 and a port are none of it.
_USERINFO = re.compile(
    r"((?!file:)[a-z][a-z0-9+.-]+:/{1,2})"
    r"(?:[^/?#]*@|[^/?#@\[:]*:(?!\d+(?:[/?#]|$)).*@)",
    re.IGNORECASE | re.DOTALL,
)
_HIDDEN = re.compile("[\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff]")


def printable(text: str, *, limit: int = MAX_LINE_LETTERS) -> str:
    """Return `text` as one line that a terminal shows and never obeys.

    Line breaks and tabs become blanks; other characters that can't be printed, such as escape codes
    and marks that change the direction of writing, become `\\x1b`, `\\u202e` and the like. Of more
    than `limit` characters the middle is left out.
    """
    if len(text) > limit:
        half = (limit - 3) // 2
        text = f"{text[:half]} … {text[-half:]}"
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else _escape(char) for char in text)


def printable_lines(lines: list[str] | tuple[str, ...]) -> str:
    """Return the lines below each other, each made printable; after 40, the number of those left
    out."""
    shown = [printable(line) for line in lines[:MAX_LINES]]
    if len(lines) > MAX_LINES:
        shown.append(f"… and {len(lines) - MAX_LINES:,} more")
    return "\n".join(shown)


def printable_json(text: str) -> str:
    """Return a JSON document that means the same, with every character that a terminal might obey
    written as `\\u009b`."""
    return _HIDDEN.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def without_password(address: str) -> str:
    """Return the address as messages and results have it: `rtsp://***@192.168.1.20/street` where
    there is a name or a password before the host. Paths and other addresses stay as they are."""
    match = _USERINFO.match(address)
    return f"{match[1]}***@{address[match.end() :]}" if match else address


def _escape(char: str) -> str:
    if char.isspace():
        return " "
    if char in _JOINERS:
        return char
    code = ord(char)
    if 0xDC80 <= code <= 0xDCFF:  # a byte of a file name outside UTF-8, as `os.fsdecode` keeps it
        return f"\\x{code - 0xDC00:02x}"
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
