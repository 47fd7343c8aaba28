"""Environment variables: each one that the project reads is read here, when it is needed; and the
cores that there are.

`docs/reference/settings.md` says what each is for.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from zoo.errors import SourceError, UsageError

HUGGING_FACE = "https://huggingface.co"
ON = {"1", "on", "yes", "true"}
OFF = {"", "0", "off", "no", "false"}
DAY = 86_400  # seconds
OFFLINE = ("ZOO_OFFLINE", "HF_HUB_OFFLINE")
REGISTRY = "ZOO_REGISTRY"
PLUGINS = "ZOO_PLUGINS"
TRACEBACK = "ZOO_TRACEBACK"
IMAGE_LIMITS = {
    "pixels": "ZOO_IMAGE_PIXELS",
    "memory": "ZOO_IMAGE_MEMORY",
    "seconds": "ZOO_IMAGE_SECONDS",
    "download": "ZOO_IMAGE_DOWNLOAD",
}
DEVICE_BACKENDS = "TORCH_DEVICE_BACKEND_AUTOLOAD"
RAY_REPORTS = "RAY_USAGE_STATS_ENABLED"
RAY_AUTH = "RAY_AUTH_MODE"
RAY_PRINT = "RAY_TQDM_PATCH_PRINT"
RAY_TOKENS = ("RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH")


def expand_home(path: str | os.PathLike[str]) -> Path:
    """A path that a user typed, `~` and `~user` being home folders; without such a user it stays as
    it is. A HOME that is empty or not absolute counts as unset, as caches would land in the working
    folder or in the root."""
    return Path(_expanded(os.fspath(path)))


def _expanded(path: str) -> str:
    named = os.environ.get("HOME")
    if path.split("/")[0] == "~" and named is not None and not os.path.isabs(named):
        return _home_of_user() + path[1:]
    return os.path.expanduser(path)


def _home_of_user() -> str:
    """The home folder that the system keeps for this user, `~` if it keeps none."""
    try:
        from pwd import getpwuid  # which Windows lacks

        return getpwuid(os.getuid()).pw_dir
    except (ImportError, KeyError):
        return "~"


def cores() -> int:
    """The processor's cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def home() -> Path:
    """The folder for caches and records; it may not exist yet.

    Raises: UsageError where it is in a home folder that nobody has.
    """
    folder = _expanded(_text("ZOO_HOME") or "~/.cache/detzoo")
    if folder.startswith("~"):  # a folder of the name `~a` is typed ./~a
        raise UsageError(
            "ZOO_HOME was read.",
            f"There is no home folder for '{folder}'.",
            "Set it to a folder that can be written: ZOO_HOME=/path/to/folder",
        )
    return Path(folder)


def bundle_folder() -> Path | None:
    """The bundle to use, made by `zoo bundle`, or None. Raises: SourceError where ZOO_BUNDLE names
    no folder."""
    named = _text("ZOO_BUNDLE")
    folder = expand_home(named) if named else None
    if folder and not folder.is_dir():
        fix = "Correct ZOO_BUNDLE, or unset it: unset ZOO_BUNDLE"
        raise SourceError(
            f"The bundle '{folder}' can't be used, as ZOO_BUNDLE says.",
            "There is no such folder.",
            fix,
        )
    return folder


def registry_files() -> list[str]:
    """The user's registry files, separated like those of PATH."""
    return [path for path in _text(REGISTRY).split(os.pathsep) if path.strip()]


def plugins() -> str | None:
    """The setting that names the plugins to load; None loads all of them."""
    return os.environ.get(PLUGINS)


def select_plugin(name: str) -> None:
    """Makes this process, and those that it starts, load one plugin only."""
    os.environ[PLUGINS] = name


def offline_switch() -> str | None:
    """The variable that says that no socket may be opened, or None.

    Raises:
        UsageError: a switch is set to a word that is neither on nor off.
    """
    on = [name for name in OFFLINE if _is_on(name)]  # all of them are looked at
    return on[0] if on else None


def offline() -> bool:
    """Whether no socket may be opened. Raises: UsageError where a switch is set to a word that is
    neither on nor off."""
    return offline_switch() is not None


def timeout() -> float:
    """Seconds a server may keep silent. Raises: UsageError for what is not above 0, or is more than
    a day."""
    seconds = _number("ZOO_TIMEOUT", 10.0)
    if not 0 < seconds <= DAY:
        raise _setting_error("ZOO_TIMEOUT", f"no number of seconds above 0 and up to {DAY}", "10")
    return seconds


def retries() -> int:
    """Retries of a failed request. Raises: UsageError for what is not a whole number."""
    times = _number("ZOO_RETRIES", 4.0)
    if times < 0 or not times.is_integer():
        raise _setting_error("ZOO_RETRIES", "no whole number of at least 0", "4")
    return int(times)


def check_network() -> None:
    """Reads what decides how files are fetched, so that a mistake is told even if nothing has to
    be. Raises: UsageError."""
    offline()
    retries()
    timeout()


def mirrors() -> dict[str, str]:
    """The user's own mirrors, prefix to replacement. Raises: UsageError for one without a '='."""
    pairs = [pair.strip() for pair in _text("ZOO_MIRRORS").split(",") if pair.strip()]
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
        return expand_home(named) if named else None
    return Path("zoo.lock") if Path("zoo.lock").exists() else None


def endpoint() -> str:
    """The address of the Hub."""
    return (_text("HF_ENDPOINT") or HUGGING_FACE).rstrip("/")


def hub_cache() -> Path:
    """The folder of the Hub's client, by its own rules (huggingface_hub.constants), but as the
    environment is now."""
    named = _text("HF_HUB_CACHE") or _text("HUGGINGFACE_HUB_CACHE")
    if named:
        return expand_home(os.path.expandvars(named))
    caches = _text("XDG_CACHE_HOME") or "~/.cache"
    client = os.path.expandvars(_text("HF_HOME") or f"{caches}/huggingface")
    return expand_home(client) / "hub"


def image_limits() -> dict[str, str]:
    """The limits of reading images that are set, as text, by the name of their field."""
    texts = {field: _text(variable).strip() for field, variable in IMAGE_LIMITS.items()}
    return {field: text for field, text in texts.items() if text}


def shows_tracebacks() -> bool:
    """Whether the command line shows where an error comes from."""
    return _text(TRACEBACK).strip().lower() in ON


def names_device_backends() -> bool:
    """Whether the environment says itself whether torch looks for device backends."""
    return DEVICE_BACKENDS in os.environ


def leave_out_device_backends() -> None:
    """Keeps torch from looking for device backends when it is imported."""
    os.environ[DEVICE_BACKENDS] = "0"


def prepare_for_ray(own_token: str | None = None) -> None:
    """Keeps Ray from reporting its use over the network and from replacing `print`, and lets it
    speak to clusters that ask for a token, unless RAY_AUTH_MODE says otherwise.

    own_token: of a cluster that this process is about to start, so that nobody else on the machine
        can give it work; None where one is running.
    """
    os.environ[RAY_REPORTS] = "0"
    os.environ[RAY_PRINT] = "0"
    if RAY_AUTH in os.environ:
        return
    if own_token is not None:  # and Ray turns to tokens by itself
        os.environ[RAY_TOKENS[0]] = own_token
        return
    token_file = expand_home("~/.ray/auth_token")
    if any(map(_text, RAY_TOKENS)) or token_file.is_file():
        os.environ[RAY_AUTH] = "token"


def is_first_process() -> bool:
    """Whether this is the first of those that torchrun started, or the only one."""
    return _text("RANK") in ("", "0")


def font_folders() -> list[Path]:
    """The folders of fonts on Linux, by the XDG Base Directory Specification."""
    own = _text("XDG_DATA_HOME") or expand_home("~/.local/share")
    shared = _text("XDG_DATA_DIRS") or "/usr/local/share:/usr/share"
    return [Path(place) / "fonts" for place in (own, *shared.split(":")) if place]


def windows_folder() -> Path:
    """The folder of Windows."""
    return Path(os.environ.get("WINDIR", r"C:\Windows"))


def beginning_with(prefixes: tuple[str, ...]) -> dict[str, str]:
    """The variables whose names begin with one of the prefixes."""
    return {name: value for name, value in os.environ.items() if name.startswith(prefixes)}


def restore(prefixes: tuple[str, ...], variables: Mapping[str, str]) -> None:
    """Makes the variables whose names begin with one of the prefixes be these again."""
    for name in beginning_with(prefixes).keys() - variables.keys():
        del os.environ[name]
    os.environ.update(variables)


def _text(name: str) -> str:
    return os.environ.get(name, "")


def _number(name: str, default: float) -> float:
    """The number in a variable, or one that no setting allows if it is none."""
    text = _text(name).strip()
    try:
        return float(text) if text else default
    except ValueError:
        return -1.0


def _is_on(name: str) -> bool:
    word = _text(name).strip().lower()
    if word not in ON | OFF:
        raise _setting_error(name, "neither on (1, on, yes, true) nor off (0, off, no, false)", "1")
    return word in ON


def _setting_error(name: str, case: str, example: str) -> UsageError:
    return UsageError(
        f"{name} was read.",
        f"'{_text(name)}' is {case}.",
        f"Unset it, or write {name}={example}",
    )
