"""`zoo.push`: publishes the folder of a run on the Hub."""

from __future__ import annotations

import logging
import os
import re
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from msgspec import structs

from zoo import environment
from zoo.errors import CardError, OfflineError, PushError, UsageError
from zoo.files import write_file
from zoo.publish.page import model_page
from zoo.publish.result_folder import PAGE, ResultFolder
from zoo.publish.upload import fetch_published, upload
from zoo.registry.card import Licenses
from zoo.registry.folder import CARD, HUB_PREFIX, read_card
from zoo.registry.license import advice, is_identifier

log = logging.getLogger("zoo")
REPO = re.compile(r"[A-Za-z0-9][\w-]*/[A-Za-z0-9_]([\w.-]{0,94}[\w])?")
TOKEN = "Log in: hf auth login; or set HF_TOKEN; or name a file with the token: --token-file PATH"


@dataclass(frozen=True)
class Pushed:
    """A model on the Hub.

    name:     to load it by, `hub:org/name`; `hub:org/name@REVISION` pins it.
    revision: the commit.
    url:      the repository's page.
    files:    names of the files in it.
    licenses: as the page states them; None is unknown.
    """

    name: str
    revision: str
    url: str
    files: tuple[str, ...]
    licenses: Licenses


def push(
    folder: str | os.PathLike[str],
    repo: str,
    *,
    private: bool = False,
    license: str | None = None,
    data_license: str | None = None,
    token: str | None = None,
    progress: bool | None = None,
) -> Pushed:
    """Publishes the folder of a run on the Hub, with a model page, in one commit or not at all.

    folder:       written by `zoo.train`. Checkpoints, samples and paths of this machine are left
                  out.
    repo:         `org/name`; created if it does not exist. Files of an earlier push are replaced,
                  and stay in the history.
    private:      whether only you and your organisation can see it.
    license:      of the weights, as an SPDX identifier; None is the card's, else that of an earlier
                  push to the repository, with a warning; else the page says that none was stated.
    data_license: of the images and annotations that it was trained on.
    token:        for the Hub; None is HF_TOKEN, or that of `hf auth login`.
    progress:     a bar; None shows one on a terminal.

    Raises:
        NameNotFound: no run has ended in the folder.
        WeightsError, CardError, DataError: one of its files is damaged or does not fit its card.
        UsageError: the repository's name or a licence is invalid.
        OfflineError: the network is switched off.
        PushError: the Hub requires a token, refuses it, has another kind of repository under that
            name, or can't be reached.
    """
    repo = repo.removeprefix(HUB_PREFIX)
    _check_name(repo)
    for option, word in (("license", license), ("data-license", data_license)):
        _check_license(option, word)
    result = ResultFolder.read(Path(folder))
    licenses = result.licenses_with(license, data_license)
    _check_access(repo, token)
    licenses = _with_earlier(licenses, repo, token)
    files = result.files(_card_name(repo), licenses)
    files[PAGE] = model_page(result, repo, licenses).encode()
    commit = upload(
        repo,
        files,
        private=private,
        token=token,
        message=f"{result.choice.entry.name}, from detzoo",
        progress=progress,
    )
    return Pushed(f"{HUB_PREFIX}{repo}", commit.id, commit.url, tuple(sorted(files)), licenses)


def _with_earlier(licenses: Licenses, repo: str, token: str | None) -> Licenses:
    """The licences, with those that are not stated now taken from the repository's card."""
    if licenses.weights is not None and licenses.data is not None:
        return licenses
    content = fetch_published(repo, CARD, token=token)
    if content is None:
        return licenses
    with TemporaryDirectory() as folder:
        path = Path(folder) / CARD
        write_file(path, content)
        try:
            before = read_card(path).card(0).licenses
        except CardError:  # another kind of repository, which `upload` refuses
            return licenses
    for subject, option in (("weights", "license"), ("data", "data_license")):
        earlier = getattr(before, subject)
        if getattr(licenses, subject) is None and earlier is not None:
            licenses = structs.replace(licenses, **{subject: earlier})
            log.warning(
                "No licence of the %s is stated, and %s keeps %s, as an earlier push stated; state "
                "another with %s (--%s).",
                *(subject, repo, earlier, option, option.replace("_", "-")),
            )
    return licenses


def _card_name(repo: str) -> str:
    from zoo.train.card import model_name  # deferred: torch

    return model_name(repo.partition("/")[2])


def _check_name(repo: str) -> None:
    if not REPO.fullmatch(repo) or ".." in repo or "--" in repo or repo.endswith(".git"):
        raise UsageError(
            f"'{repo}' can't be published.",
            "The Hub has no such names.",
            "Write OWNER/NAME, of letters, digits, '-', '_' and '.'.",
        )


def _check_license(option: str, word: str | None) -> None:
    if word is not None and not is_identifier(word):
        raise UsageError(
            f"--{option} '{word}' was given.", "That is no SPDX identifier.", advice(word)
        )


def _check_access(repo: str, token: str | None) -> None:
    """Raises: OfflineError; PushError if there is no token."""
    switch = environment.offline_switch()
    failure = f"'{repo}' was not published."
    if switch:
        raise OfflineError(
            failure, f"The network is switched off: {switch} is set.", f"Unset it: unset {switch}"
        )
    from huggingface_hub import get_token  # deferred: slow

    if not (token or get_token()):
        raise PushError(failure, "The Hub wants a token, and there is none.", TOKEN)
