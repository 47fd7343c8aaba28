"""Every environment variable that fetching weights obeys; each is read when it is needed, never at import.

| variable | meaning | default |
|---|---|---|
| `ZOO_HOME` | the folder for downloads, converted checkpoints and records | `~/.cache/detzoo` |
| `ZOO_OFFLINE`, `HF_HUB_OFFLINE` | `1`: open no socket, use only what is on this machine | off |
| `ZOO_MIRRORS` | `prefix=replacement,…`: where a source is fetched from instead | |
| `ZOO_LOCK` | the lock file to obey; empty: none | `zoo.lock` in the working folder, if there is one |
| `ZOO_BUNDLE` | a folder made by `zoo bundle`, looked into before any source | |
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

TRUE = {"1", "on", "yes", "true"}
HUGGING_FACE = "https://huggingface.co"


def offline() -> bool:
    """Whether no socket may be opened."""
    return any(os.environ.get(name, "").lower() in TRUE for name in ("ZOO_OFFLINE", "HF_HUB_OFFLINE"))


def timeout() -> float:
    """Seconds a server may keep silent."""
    return _number("ZOO_TIMEOUT", 10.0)


def retries() -> int:
    """How often a failed request is tried again."""
    return int(_number("ZOO_RETRIES", 4))


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


def bundle_folder() -> Path | None:
    """The bundle to look into first, or None."""
    named = os.environ.get("ZOO_BUNDLE")
    return Path(named).expanduser() if named else None


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


def _number(name: str, default: float) -> float:
    text = os.environ.get(name)
    try:
        value = float(text) if text else default
    except ValueError:
        value = -1.0
    if not 0 <= value < float("inf"):
        raise WeightsError(
            f"{name} was read.", f"'{text}' is no number of at least 0.", f"Unset it, or write {name}={default:g}."
        )
    return value
