"""Every environment variable that fetching weights obeys; each is read when it is needed, never at import.

| variable | meaning | default |
|---|---|---|
| `ZOO_HOME` | the folder for downloads, converted checkpoints and records | `~/.cache/detzoo` |
| `ZOO_OFFLINE`, `HF_HUB_OFFLINE` | `1`: open no socket, use only what is on this machine; `0`: the network may be used | off |
| `ZOO_MIRRORS` | `prefix=replacement,…`: where a source is fetched from instead | |
| `ZOO_LOCK` | the lock file to obey; empty: none | `zoo.lock` in the working folder, if there is one |
| `ZOO_BUNDLE` | a folder made by `zoo bundle`: its files are used before any source, and its registry file is read | |
| `ZOO_TIMEOUT` | seconds a server may keep silent | 10 |
| `ZOO_RETRIES` | how often a failed request is tried again | 4 |
| `HF_ENDPOINT`, `HF_TOKEN` | another Hub, and the login for it | `https://huggingface.co` |
| `HF_HUB_CACHE`, `HF_HOME` | where the Hub's client keeps its files | `~/.cache/huggingface` |
| `HF_HUB_DOWNLOAD_TIMEOUT` | `ZOO_TIMEOUT` for the body of a file of the Hub, read by the Hub's client at its import | 10 |
| `HTTP_PROXY`, `HTTPS_PROXY`, `NO_PROXY` | proxies, for every download | |
"""

from __future__ import annotations

import os
from pathlib import Path

from zoo.errors import WeightsError
from zoo.registry.home import bundle_folder as bundle_folder

ON = {"1", "on", "yes", "true"}
OFF = {"", "0", "off", "no", "false"}
HUGGING_FACE = "https://huggingface.co"


def offline() -> bool:
    """Whether no socket may be opened.

    Raises:
        WeightsError: a switch is set to a word that is neither on nor off.
    """
    return any([_switch("ZOO_OFFLINE"), _switch("HF_HUB_OFFLINE")])  # a list: both are checked


def timeout() -> float:
    """Seconds a server may keep silent."""
    seconds = _number("ZOO_TIMEOUT", 10.0)
    if not 0 < seconds < float("inf"):
        raise _refused("ZOO_TIMEOUT", "no number of seconds above 0", "10")
    return seconds


def retries() -> int:
    """How often a failed request is tried again."""
    times = _number("ZOO_RETRIES", 4.0)
    if times < 0 or not times.is_integer():
        raise _refused("ZOO_RETRIES", "no whole number of at least 0", "4")
    return int(times)


def mirrors() -> dict[str, str]:
    """The user's own mirrors, prefix to replacement."""
    pairs = [pair.strip() for pair in os.environ.get("ZOO_MIRRORS", "").split(",") if pair.strip()]
    for pair in pairs:
        if "=" not in pair:
            example = 'ZOO_MIRRORS="https://download.pytorch.org/=https://mirror.example.org/"'
            raise WeightsError("ZOO_MIRRORS was read.", f"'{pair}' in it has no '='.", f"Write prefix=replacement: {example}")
    return {prefix: replacement for prefix, _, replacement in (pair.partition("=") for pair in pairs)}


def lock_file() -> Path | None:
    """The lock file to obey, or None; one that `ZOO_LOCK` names need not exist."""
    named = os.environ.get("ZOO_LOCK")
    if named is not None:
        return Path(named).expanduser() if named else None
    return Path("zoo.lock") if Path("zoo.lock").exists() else None


def endpoint() -> str:
    """The address of the Hub."""
    return (os.environ.get("HF_ENDPOINT") or HUGGING_FACE).rstrip("/")


def hub_cache() -> Path:
    """The folder of the Hub's client, by its own rules (huggingface_hub.constants), but as the environment is now."""
    named = os.environ.get("HF_HUB_CACHE") or os.environ.get("HUGGINGFACE_HUB_CACHE")
    if named:
        return Path(os.path.expandvars(named)).expanduser()
    caches = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(os.path.expandvars(os.environ.get("HF_HOME") or f"{caches}/huggingface")).expanduser() / "hub"


def _switch(name: str) -> bool:
    word = os.environ.get(name, "").strip().lower()
    if word not in ON | OFF:
        raise _refused(name, "neither on (1, on, yes, true) nor off (0, off, no, false)", "1")
    return word in ON


def _number(name: str, default: float) -> float:
    """The number, or one that no setting allows where it is none."""
    text = os.environ.get(name, "").strip()
    try:
        return float(text) if text else default
    except ValueError:
        return -1.0


def _refused(name: str, case: str, example: str) -> WeightsError:
    return WeightsError(f"{name} was read.", f"'{os.environ.get(name)}' is {case}.", f"Unset it, or write {name}={example}")
