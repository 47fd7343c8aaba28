"""Requests made to hurt a server of detections, the same in every run: what is in them is wrong."""

from __future__ import annotations

import base64
import json
import random
from collections.abc import Iterator, Sequence
from urllib.parse import quote

from tests.hostile.hostile import CLOSED, JSON, TOKEN, Hostile, http
from tests.hostile.hostile_images import BOMBS, FILES, broken, good


def contents() -> list[Hostile]:
    """Those whose bodies, parameters, names, paths, headers and tokens are wrong."""
    sources = (
        *(_images(), _kinds(), _forms(), _documents(), _parameters(), _names(), _paths()),
        *(_headers(), _tokens()),
    )
    return [hostile for source in sources for hostile in source]


def of_urls(urls: Sequence[str]) -> list[Hostile]:
    """Requests that name these images behind URLs, none of which can be had but from a public
    address, which a name may have had once."""
    return [
        Hostile(
            f"url {url:.80}",
            (http(json.dumps({"url": url}).encode(), kind=JSON),),
            (200, 422) if "rebind" in url else (400, 422),
        )
        for url in urls
    ]


def _images() -> Iterator[Hostile]:
    for form, data in FILES.items():
        for tenth in range(1, 9):
            cut = data[: len(data) * tenth // 10]
            yield Hostile(f"{form} cut to {tenth}0 %", (http(cut),), (422,))
        for seed in range(8):
            changed = broken(data, seed)
            yield Hostile(f"{form} with broken bytes {seed}", (http(changed),), (200, 422))
    for name, data in BOMBS.items():
        yield Hostile(f"bomb: {name}", (http(data),), (422,))
    for data in (b"", b"\0", b"\xff\xd8", b"\x89PNG\r\n\x1a\n", b"RIFF", b"GIF89a", bytes(99_999)):
        yield Hostile(f"not an image: {data[:8]!r}", (http(data),), (422,))


def _kinds() -> Iterator[Hostile]:
    kinds = (
        *("text/html", "text/plain", "application/xml", "application/x-www-form-urlencoded"),
        *("multipart/mixed; boundary=b", "multipart/form-data2", "application/jsonp", "image"),
        *("application/json, image/png", "*/*", "/", ";", "x" * 5000, "video/mp4", "IMAGES/png"),
        *("application/octet-stream-x", "application/x-python-pickle", "\xe4/\xe4", "image\\png"),
    )
    for kind in kinds:
        statuses = (422,) if kind == ";" else (415,)
        yield Hostile(f"content type {kind:.30}", (http(b"x", kind=kind),), statuses)
    for encoding in ("gzip", "br", "deflate", "zstd", "identity, gzip", "x", "GZIP", "\xff"):
        request = http(good(), f"Content-Encoding: {encoding}")
        yield Hostile(f"content encoding {encoding}", (request,), (415,))


def _form(*parts: tuple[bytes, bytes], boundary: bytes = b"b", end: bytes = b"--") -> bytes:
    lines = [
        b"--" + boundary + b"\r\n" + head + b"\r\n\r\n" + data + b"\r\n" for head, data in parts
    ]
    return b"".join(lines) + b"--" + boundary + end + b"\r\n"


def _forms() -> Iterator[Hostile]:
    head = b'Content-Disposition: form-data; name="image"; filename="a.png"'
    whole = _form((head, good()))
    kinds = (
        *("multipart/form-data", "multipart/form-data; boundary=", "multipart/form-data; boundary"),
        *("multipart/form-data; boundary=c", f"multipart/form-data; boundary={'b' * 4000}"),
        *('multipart/form-data; boundary="b', "multipart/form-data; boundary=b b"),
        *("multipart/form-data; boundary=b; boundary=c", "multipart/form-data; charset=utf-8"),
    )
    for kind in kinds:
        yield Hostile(f"form as {kind:.50}", (http(whole, kind=kind),), (200, 400))
    kind = "multipart/form-data; boundary=b"
    for place in range(0, len(whole), len(whole) // 12):
        yield Hostile(f"form cut at {place}", (http(whole[:place], kind=kind),), (400, 422))
    wrong = {
        "no image": _form((b'Content-Disposition: form-data; name="file"', good())),
        "two images": _form((head, good()), (head, good())),
        "no name": _form((b"Content-Disposition: form-data", good())),
        "no disposition": _form((b"Content-Type: image/png", good())),
        "an attachment": _form((b'Content-Disposition: attachment; name="image"', good())),
        "many fields": _form(*[(b'Content-Disposition: form-data; name="x"', b"1")] * 5000),
        "a long header": _form((head + b"\r\nX: " + b"y" * 100_000, good())),
        "many headers": _form((head + b"\r\nX: y" * 5000, good())),
        "base64": _form((head + b"\r\nContent-Transfer-Encoding: base64", b"YQ==")),
        "a form in a form": _form((head, _form((head, good()), boundary=b"c"))),
        "nothing in it": _form((head, b"")),
        "no end": _form((head, good()), end=b""),
        "only boundaries": b"--b\r\n" * 20_000,
        "bare line feeds": whole.replace(b"\r\n", b"\n"),
        "garbage": random.Random(1).randbytes(5000),
    }
    for name, body in wrong.items():
        yield Hostile(f"form: {name}", (http(body, kind=kind),), (400, 422))
    files = ("../../etc/passwd", "a\\..\\b", "\x00", "a" * 5000, "\u202egnp.exe", '"', "CON", "")
    for file in files:
        named = head.replace(b"a.png", file.encode())
        body = _form((named, good()))
        yield Hostile(f"file name {file!r:.20}", (http(body, kind=kind),), (200, 400, 422))


def _documents() -> Iterator[Hostile]:
    text = base64.b64encode(good()).decode()
    images: tuple[object, ...] = (
        *("%%%", "YQ=", "YQ", "Y Q = =", text + "=", text[:-1], text[1:], text.lower(), "ä"),
        *(text.replace("A", "-"), f"data:image/png,{text}", f"data:;base64,data:;base64,{text}"),
        *("data:image/png;base64,", "A" * 900_000, "\ud800", "file:///etc/passwd", "../a.png"),
        *(None, 1, 1e308, True, [], {}, [text], {"base64": text}, ""),
    )
    for place, image in enumerate(images):
        body = json.dumps({"image": image}).encode()
        yield Hostile(f"base64 {place}", (http(body, kind=JSON),), (400, 422))
    bodies: dict[str, bytes] = {
        "deep lists": b"[" * 400_000,
        "deep lists that end": b"[" * 200_000 + b"]" * 200_000,
        "deep objects": b'{"image":' * 90_000,
        "deep image": b'{"image":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        "many keys": json.dumps({f"k{number}": 0 for number in range(40_000)}).encode(),
        "a giant number": b'{"image":' + b"9" * 900_000 + b"}",
        "a giant exponent": b'{"image":1e999999999}',
        "a giant key": b'{"' + b"k" * 900_000 + b'":1}',
        "a giant name": json.dumps({"image": text, "file": "n" * 500_000}).encode(),
        "not a number": b'{"image":NaN}',
        "UTF-16": json.dumps({"image": text}).encode("utf-16"),
        "a mark at its begin": b"\xef\xbb\xbf" + json.dumps({"image": text}).encode(),
        "broken UTF-8": b'{"image":"\xff\xfe"}',
        "a zero byte": b'{"image":"\0"}',
        "an escape cut short": b'{"image":"\\u12',
        "half a pair": b'{"image":"YQ==","file":"\\ud800"}',
        "two documents": json.dumps({"image": text}).encode() * 2,
        "both": json.dumps({"image": text, "url": "http://public.test/a.png"}).encode(),
        "one key more": json.dumps({"image": text, "__class__": "x"}).encode(),
        "Python": str({"image": text}).encode(),
        "YAML": f"image: {text}".encode(),
        "XML": b'<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>',
        "nothing": b"",
        "blanks": b" " * 900_000,
        "a word": b"null",
    }
    for name, body in bodies.items():
        yield Hostile(f"JSON: {name}", (http(body, kind=JSON),), (400, 422))


def _parameters() -> Iterator[Hostile]:
    numbers = (
        *("nan", "NaN", "inf", "-inf", "Infinity", "1e308", "-1e308", "1e999", "-1", "-0.1", "2"),
        *("1.0000001", "", "0x1", "1_0", "true", "None", "[]", "1,0", "0.3%00", "٣x", "9" * 500),
    )
    for name in ("score", "iou"):
        for number in numbers:
            target = f"/v1/detect?{name}={quote(number, safe='%')}"
            yield Hostile(f"{name}={number:.20}", (http(good(), target=target),), (422,))
    counts = ("0", "-1", "1.5", "nan", "1e9", str(2**63), "9" * 400, "10001", "ten", "", "0b1")
    for count in counts:
        target = f"/v1/detect?max_boxes={count}"
        yield Hostile(f"max_boxes={count:.20}", (http(good(), target=target),), (422,))
    for query in ("exif=maybe", "exif=", f"file={'n' * 1001}", "file=", "score=0.1&score=nan"):
        target = f"/v1/detect?{query}"
        yield Hostile(f"query {query:.20}", (http(good(), target=target),), (422,))
    for query in ("&" * 5000, "a" * 20_000, "%", "%zz", "%ff=%ff", "score[]=1", "=1", "?" * 99):
        target = f"/v1/detect?{query}"
        yield Hostile(f"query {query:.20}", (http(good(), target=target),), (200, 400, 422))


def _names() -> Iterator[Hostile]:
    names = (
        *("nope", "flat", "../flat.toy", "flat.toy/..", "flat.toy\0", " flat.toy", "FLAT.TOY"),
        *("flat.toy' OR 1=1 --", "${jndi:ldap://a/b}", "{{7*7}}", "$(reboot)", "`id`", "%s%n"),
        *("file:/etc/passwd", "hub:org/net", "http://127.0.0.1/", "ｆｌａｔ.toy", "flat\u200b.toy"),
        *("\u202e" * 50, "m" * 9000, "\x1b[2J", "\r\nX-Injected: 1", "<script>alert(1)</script>"),
        *("__import__('os')", "."),
    )
    for name in names:
        target = f"/v1/detect?model={quote(name, safe='')}"
        statuses = (200,) if name == "flat" else (404,)
        yield Hostile(f"model {name!r:.20}", (http(good(), target=target),), statuses)


def _paths() -> Iterator[Hostile]:
    paths = (
        *("/../../etc/passwd", "/..%2f..%2fetc%2fpasswd", "/%2e%2e/%2e%2e/etc/passwd", "//etc"),
        *("/v1/../metrics", "/v1/detect/", "/v1//detect", "/v1/detect%00", "/V1/DETECT", "/v1"),
        *("/.git/config", "/.env", "/docs", "/redoc", "/static/../app.py", "/%ff%fe", "/" * 3000),
        *("/v1/detect;a=b", "/metrics/..;/", "/%", "/%zz", "/a" * 5000, "/%0d%0aX-Injected:%201"),
        *("http://zoo.example/v1/nope", "http://127.0.0.1:1/", "/healthz/..", "/\\..\\..\\x"),
    )
    for path in paths:
        request = http(target=path, method="GET", kind=None, length=None)
        yield Hostile(f"path {path:.40}", (request,), (400, 404))
    yield Hostile("path *", (http(method="OPTIONS", target="*"),), (400, 404, 405))
    methods = (
        *("GET", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "PROPFIND", "post", "A" * 500),
        *("POST\x00", "M-SEARCH", "DEBUG", "CONNECT"),
    )
    for method in methods:
        yield Hostile(f"method {method!r:.20}", (http(good(), method=method),), (400, 405))
    for target in ("/healthz", "/readyz", "/metrics", "/v1/models", "/", "/openapi.json"):
        request = http(b"x" * 1000, target=target)
        yield Hostile(f"POST {target}", (request,), (405,))
        head = http(method="HEAD", target=target, kind=None, length=None)
        yield Hostile(f"HEAD {target}", (head,), (200, 405), is_head=True)


def _headers() -> Iterator[Hostile]:
    floods = {
        "40 kB in one": ["X: " + "y" * 40_000],
        "40 kB in many": [f"X-{number}: {'y' * 80}" for number in range(500)],
        "a megabyte": ["X: " + "y" * 1_000_000],
        "a long name": ["X" * 40_000 + ": y"],
        "cookies": ["Cookie: a=" + "b" * 8000] * 5,
    }
    for name, headers in floods.items():
        yield Hostile(f"header flood: {name}", (http(good(), *headers),), (400, 431, CLOSED))
    refused = (
        *("A B: c", ": y", "X", "X : y", "X: a\0b", "Host: other"),
        *("Content-Length: 1", "Content-Length: 0, 5", "Transfer-Encoding: gzip"),
        *("Transfer-Encoding: chunked, chunked", "Transfer-Encoding: identity"),
    )
    for header in refused:
        yield Hostile(f"header {header!r}", (http(good(), header),), (400, 501, CLOSED))
    taken = (
        *(
            "Range: bytes=0-0",
            "Range: bytes=-1",
            "Range: bytes=5-1,0-9",
            "Range: x",
            "TE: trailers",
        ),
        *(
            "Expect: 100-continue",
            "Expect: nothing",
            "If-None-Match: *",
            "If-Match: x",
            "Accept: x",
        ),
        *("If-Modified-Since: never", "Accept-Encoding: gzip;q=nan", "Accept-Language: \xff"),
        *(
            "X-Forwarded-For: 127.0.0.1",
            "X: a\x01b",
            " folded: y",
            "X-Forwarded-Host: evil.example",
            "Forwarded: for=::1",
        ),
        *("X-HTTP-Method-Override: DELETE", "X-Original-URL: /metrics", "Origin: null"),
        *('X-Request-Id: a"b', "X-Request-Id: " + "a" * 5000, "X-Request-Id: \xe4", "Cookie: a"),
        *("Referer: javascript:alert(1)", "User-Agent: () { :; }; echo", "Upgrade: websocket"),
        *("Upgrade: h2c", "HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA", "Proxy: http://evil.example"),
    )
    for header in taken:
        yield Hostile(f"header {header!r:.40}", (http(good(), header),), (200,))
    upgrade = ("Upgrade: websocket", "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==")
    request = http(b"", "Connection: Upgrade", *upgrade, method="GET", close=False)
    yield Hostile("a web socket", (request,), (400, 405))


def _tokens() -> Iterator[Hostile]:
    guesses = (
        *("", " ", "x", TOKEN[:-1], TOKEN + "x", TOKEN.upper(), TOKEN[::-1], f"{TOKEN} {TOKEN}"),
        *(f'"{TOKEN}"', f"{TOKEN},{TOKEN}", "null", "undefined", "*", "' OR '1'='1", "\xff" * 40),
        *("x" * 20_000, "0", base64.b64encode(TOKEN.encode()).decode(), f"{TOKEN}%00"),
    )
    for guess in guesses:
        yield Hostile(f"token {guess!r:.30}", (http(good(), token=guess),), (401,))
    for scheme in (f"Basic {TOKEN}", TOKEN, f"Bearer:{TOKEN}", f"Token {TOKEN}", "Bearer"):
        request = http(good(), f"Authorization: {scheme}", token=None)
        yield Hostile(f"authorization {scheme:.20}", (request,), (401,))
    for target in (
        "/v1/detect?token=",
        "/v1/models?access_token=",
        "/metrics?authorization=Bearer+",
    ):
        request = http(target=target + TOKEN, method="GET", token=None, kind=None, length=None)
        yield Hostile(f"token in {target}", (request,), (401,))
    twice = http(good(), f"Authorization: Bearer {TOKEN}", token="wrong")
    yield Hostile("two tokens, the first wrong", (twice,), (401,))
    for target in ("/v1/", "/v1/x", "/metrics/", "/v1/detect/../models", "/v1%2fmodels"):
        request = http(target=target, method="GET", token=None, kind=None, length=None)
        yield Hostile(f"no token, {target}", (request,), (401, 404))
