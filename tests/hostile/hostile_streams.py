"""What is sent to a server of detections and is hardly HTTP: wrong lengths and chunks, slow
senders, garbage, many requests at once. The same in every run."""

from __future__ import annotations

import random
from collections.abc import Iterator

from tests.hostile.hostile import CLOSED, MOST_BYTES, Hostile, http
from tests.hostile.hostile_images import good


def streams() -> list[Hostile]:
    """All of them."""
    sources = (_lengths(), _chunks(), _slow(), _garbage(), _pipelines())
    return [hostile for source in sources for hostile in source]


def _lengths() -> Iterator[Hostile]:
    data = good()
    for length in ("-1", "+5", "1e3", "0x10", "5 5", "five", "1.0", "9" * 40, "\xb2", ""):
        request = http(data, length=None) if not length else http(data, length=length)
        statuses = (422,) if not length else (400, 413, CLOSED)
        yield Hostile(f"length {length!r}", (request,), statuses)
    for length in (MOST_BYTES + 1, 2**31, 2**63, 2**64):
        request = http(data, length=str(length), close=False)
        yield Hostile(f"length {length} and no more", (request,), (413, 400))
    yield Hostile("a body of a byte too many", (http(bytes(MOST_BYTES + 1)),), (413,))
    yield Hostile("a body as long as may be", (http(bytes(MOST_BYTES)),), (422,))
    short = http(data, length=str(len(data) - 10))
    yield Hostile("a body longer than its length", (short,), (200, 422, 400))
    short = http(data, length=str(len(data) - 10), close=False)
    yield Hostile("and the rest is no request", (short,), (200, 422, 400, 408), answers=1)
    for place in range(3):
        cut = http(data)[: -10 * (place + 1)]
        yield Hostile(f"a client that leaves {place}", (cut,), (CLOSED,), leaves=True)


def _chunks() -> Iterator[Hostile]:
    def chunked(body: bytes, *headers: str) -> tuple[bytes]:
        return (http(body, "Transfer-Encoding: chunked", *headers, length=None),)

    data = good()
    whole = b"%x\r\n%s\r\n0\r\n\r\n" % (len(data), data)
    refused = {
        "no number": b"zz\r\n", "a sign": b"-5\r\nabcde\r\n0\r\n\r\n",
        "a giant": b"f" * 17 + b"\r\n",
        "no end of line": b"5\r\nabcdefgh\r\n0\r\n\r\n", "0x": b"0x5\r\nabcde\r\n0\r\n\r\n",
        "a flood of extensions": b"5;" + b"x" * 100_000 + b"\r\nabcde\r\n0\r\n\r\n",
        "a flood of trailers": whole[:-2] + b"X: " + b"y" * 100_000 + b"\r\n\r\n",
        "a broken trailer": whole[:-2] + b"A B\r\n\r\n",
    }  # fmt: skip
    for name, body in refused.items():
        yield Hostile(f"chunks: {name}", chunked(body), (200, 400, 408, 422))
    yield Hostile("chunks and a length", chunked(whole, "Content-Length: 5"), (400,))
    yield Hostile("a length and chunks", chunked(whole, f"Content-Length: {len(whole)}"), (400,))
    many = b"1\r\nx\r\n" * 60_000 + b"0\r\n\r\n"
    yield Hostile("chunks of one byte", chunked(many), (422,))
    endless = b"10000\r\n" + bytes(65536) + b"\r\n"
    yield Hostile("chunks without end", chunked(endless * 20), (413,))


def _slow() -> Iterator[Hostile]:
    request = http(good(), close=False)
    head, _, body = request.partition(b"\r\n\r\n")
    head += b"\r\n\r\n"
    late = (408,)
    yield Hostile("nothing is sent", (b"",), late)
    for place in (1, 20, len(head) - 3):
        yield Hostile(f"headers that stop at {place}", (request[:place],), late)
    for count in (0, 1, len(body) - 1):
        yield Hostile(f"a body that stops at {count}", (head + body[:count],), late)
    drip = tuple(head[place : place + 1] for place in range(60))
    yield Hostile("headers drip", drip, (408, CLOSED), pause=0.05)
    drip = (head, *(body[place : place + 1] for place in range(60)))
    yield Hostile("a body drips", drip, (408, CLOSED), pause=0.05)
    chunks = http(b"", "Transfer-Encoding: chunked", length=None, close=False)
    drip = (chunks, *[b"1\r\nx\r\n"] * 60)
    yield Hostile("chunks drip", drip, (408, CLOSED), pause=0.05)
    slow = (request[:50], request[50:200], request[200:])
    yield Hostile("slow, and in time", slow, (200,), pause=0.1)


def _garbage() -> Iterator[Hostile]:
    words = {
        "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(500),
        "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(50),
        "HTTP/0.9": b"GET /\r\n\r\n", "HTTP/3": b"GET / HTTP/3.0\r\nHost: a\r\n\r\n",
        "SSH": b"SSH-2.0-OpenSSH_9.0\r\n\r\n", "SMTP": b"EHLO a\r\n\r\n",
        "a proxy": b"PROXY TCP4 127.0.0.1 127.0.0.1 1 2\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
        "no host": b"GET /healthz HTTP/1.1\r\n\r\n", "a version": b"GET / HTTP/1.10\r\n\r\n",
        "three blanks": b"GET  /  HTTP/1.1\r\nHost: a\r\n\r\n", "line ends": b"\r\n" * 20_000,
        "carriage returns": b"GET / HTTP/1.1\rHost: a\r\r", "zeros": bytes(100_000),
    }  # fmt: skip
    for name, data in words.items():
        yield Hostile(f"garbage: {name}", (data,), (400, 408, CLOSED))
    for seed in range(24):
        generator = random.Random(seed)
        data = generator.randbytes(generator.choice((1, 10, 100, 1000, 40_000)))
        yield Hostile(f"random bytes {seed}", (data + b"\r\n\r\n",), (400, 408, CLOSED))
        place = generator.randrange(150)
        request = http(good())
        mixed = request[:place] + generator.randbytes(1) + request[place + 1 :]
        statuses = (200, 400, 401, 404, 405, 408, 413, 415, 422, 501, CLOSED)
        yield Hostile(f"a byte of a request {seed}", (mixed,), statuses)


def _pipelines() -> Iterator[Hostile]:
    last = http(good())
    detect = http(good(), close=False)
    state = http(method="GET", target="/healthz", kind=None, length=None, close=False)
    for count in (2, 5, 20):
        parts = (detect * (count - 1) + last,)
        yield Hostile(f"{count} requests at once", parts, (200,), answers=count)
    yield Hostile("states at once", (state * 200 + last,), (200,), answers=201)
    yield Hostile("then garbage", (detect + b"\0garbage\r\n\r\n",), (200, 400), answers=2)
    wrong = http(b"no image", close=False)
    yield Hostile("a wrong one between", (detect + wrong + last,), (200, 422), answers=3)
    smuggled = http(b"0\r\n\r\n" + state, "Transfer-Encoding: chunked", close=False)
    yield Hostile("one in the body of another", (smuggled,), (400, CLOSED))
    for parts in ((detect, last), (detect[:100], detect[100:] + last[:30], last[30:])):
        yield Hostile(f"in {len(parts)} pieces", parts, (200,), answers=2, pause=0.05)
