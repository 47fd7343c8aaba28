"""Environment variables of fetching weights; each is read when needed, never at import.

| variable | meaning | default |
|---|---|---|
| `ZOO_HOME` | the folder for downloads, converted checkpoints and records | `~/.cache/detzoo` |
| `ZOO_OFFLINE`, `HF_HUB_OFFLINE` | `1`: open no socket | off |
| `ZOO_MIRRORS` | `prefix=replacement,…`: where a source is fetched from instead | |
| `ZOO_LOCK` | the lock file to obey; empty: none | `zoo.lock` in the working folder |
| `ZOO_BUNDLE` | a folder made by `zoo bundle`, used before any source | |
| `ZOO_TIMEOUT` | seconds a server may keep silent | 10 |
| `ZOO_RETRIES` | how often a failed request is tried again | 4 |
| `HF_ENDPOINT`, `HF_TOKEN` | another Hub, and the login for it | `https://huggingface.co` |
| `HF_HUB_CACHE`, `HF_HOME` | where the Hub's client keeps its files | `~/.cache/huggingface` |
| `HF_HUB_DOWNLOAD_TIMEOUT` | `ZOO_TIMEOUT` for bodies of Hub files | 10 |
| `HTTP_PROXY`, `HTTPS_PROXY`, `NO_PROXY` | proxies, for every download | |
"""

from __future__ import annotations

import os
from pathlib import Path

from zoo.errors import UsageError
from zoo.network import number, refused, switched_off
from zoo.network import timeout as timeout
from zoo.registry.home import bundle_folder as bundle_folder

HUGGING_FACE = "https://huggingface.co"


def offline() -> bool:
    """Whether no socket may be opened. Raises: UsageError where a switch is set to a word that is
    neither on nor off."""
    return switched_off() is not None


def retries() -> int:
    """How often a failed request is tried again."""
    times = number("ZOO_RETRIES", 4.0)
    if times < 0 or not times.is_integer():
        raise refused("ZOO_RETRIES", "no whole number of at least 0", "4")
    return int(times)


def check() -> None:
    """Reads what decides how files are fetched, so that a mistake is told even where nothing has to
    be. Raises: UsageError."""
    offline()
    retries()
    timeout()


def mirrors() -> dict[str, str]:
    """The user's own mirrors, prefix to replacement."""
    pairs = [pair.strip() for pair in os.environ.get("ZOO_MIRRORS", "").split(",") if pair.strip()]
    for pair in pairs:
        if "=" not in pair:
            example = 'ZOO_MIRRORS="https://download.pytorch.org/=https://mirror.example.org/"'
            raise UsageError(
                "ZOO_MIRRORS was read.",
                f"'{pair}' in it has no '='.",
                f"Write prefix=replacement: {example}",
            )
    return {
        prefix: replacement for prefix, _, replacement in (pair.partition("=") for pair in pairs)
    }


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
    """The folder of the Hub's client, by its own rules (huggingface_hub.constants), but as the
    environment is now."""
    named = os.environ.get("HF_HUB_CACHE") or os.environ.get("HUGGINGFACE_HUB_CACHE")
    if named:
        return Path(os.path.expandvars(named)).expanduser()
    caches = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return (
        Path(os.path.expandvars(os.environ.get("HF_HOME") or f"{caches}/huggingface")).expanduser()
        / "hub"
    )
