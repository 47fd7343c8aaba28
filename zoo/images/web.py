"""Downloads images with huggingface_hub's HTTP client, which shares proxies and certificates."""

from __future__ import annotations

import time

from zoo.environment import offline_switch, timeout
from zoo.errors import ImageError
from zoo.images.decode import Limits
from zoo.images.unreadable import beyond, unreadable
from zoo.printable import without_password


def fetch(url: str, name: str, *, limits: Limits) -> bytes:
    """Fetches the bytes behind an http(s) URL, and follows redirects. name: the URL in messages.

    `ZOO_TIMEOUT` is the number of seconds without a byte after which the request fails;
    `ZOO_OFFLINE=1` and `HF_HUB_OFFLINE=1` switch the network off.

    Raises:
        ImageError: the network is switched off, the server does not answer, answers with an error,
            takes longer than `limits.seconds`, or sends more than `limits.download` bytes.
        UsageError: one of these variables has an invalid value.
    """
    if switch := offline_switch():
        raise unreadable(
            name,
            f"The network is switched off by {switch}.",
            f"Unset {switch}, or download the image first.",
        )
    silence = timeout()
    try:
        return _download(url, name, limits, silence=silence)
    except ImageError:
        raise
    # httpx or httpx2, depending on huggingface_hub's version; their errors have no common root
    except Exception as error:
        if type(error).__name__ == "InvalidURL" and without_password(url) != url:
            fix = "Write / as %2F, ? as %3F, # as %23 and @ as %40 in its password."
            raise unreadable(name, "It is not a URL.", fix) from None  # the error quotes a part
        reason = str(error).rstrip(".") or type(error).__name__
        raise unreadable(
            name, f"It can't be fetched: {reason}.", "Check the address and the network."
        ) from error


def _download(url: str, name: str, limits: Limits, *, silence: float) -> bytes:
    from huggingface_hub import get_session  # slow to import, and only URLs need it

    until = time.monotonic() + limits.seconds
    received = bytearray()
    with get_session().stream("GET", url, timeout=silence, follow_redirects=True) as response:
        if response.status_code != 200:
            case = f"The server answered {response.status_code} {response.reason_phrase}."
            raise unreadable(
                name, case.replace(" .", "."), "Open the address in a browser to see what it is."
            )
        for chunk in response.iter_bytes():
            received += chunk
            if len(received) > limits.download:
                raise beyond(
                    "download", name, f"It is larger than {limits.download / 1e6:,.0f} MB."
                )
            if time.monotonic() > until:
                raise beyond("seconds", name, f"It took more than {limits.seconds:g} seconds.")
    return bytes(received)
