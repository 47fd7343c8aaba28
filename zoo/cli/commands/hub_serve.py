"""`zoo hub serve`: a folder as a Hub on this machine, to try out what is to be published before it
is.

    FOLDER/you/blob/model.safetensors      is a file of the repository you/blob
    FOLDER/model.safetensors               is one of local/FOLDER, if the folder has only files

Each repository has one commit, whose id follows from its content, so that a card that names it
stays right until a file changes.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from zoo.cli import output
from zoo.errors import UsageError
from zoo.testing import LoopbackHub
from zoo.text import pluralize

GLANCE = 0.2  # seconds between two looks for new requests
LONELY = "local"  # owner of the repository that a folder of files is


def serve(
    folder: Annotated[
        Path,
        typer.Argument(
            metavar="FOLDER",
            help="Has OWNER/NAME folders, one a repository, or files.",
            show_default=False,
        ),
    ],
    port: Annotated[
        int,
        typer.Option(
            "--port",
            metavar="PORT",
            min=0,
            max=65535,
            help="Port to listen on; 0 picks a free one.",
        ),
    ] = 0,
    quiet: Annotated[bool, typer.Option("--quiet", help="Do not print the requests.")] = False,
) -> None:
    """Serve a folder as a Hugging Face Hub on this machine, until Ctrl-C, to try weights and cards
    before they are published.

    It listens on 127.0.0.1 only, and reads all files into memory when it starts; start it again
    after a change. zoo push works on it, with any HF_TOKEN; what is pushed is gone when it ends.
    """
    asked = f"'{folder}' can't be served as a Hub."
    repositories = repositories_in(folder, asked=asked)
    try:
        with LoopbackHub(port=port) as hub:
            output.line(
                f"Serving {pluralize(len(repositories), 'repository', 'repositories')} at "
                f"{hub.endpoint}"
            )
            for name, files in repositories.items():
                output.line(
                    f"  {name}  {pluralize(len(files), 'file')}, revision {hub.add(name, files)}"
                )
            output.line("In another shell, with a cache of its own for what comes from here:")
            output.line(f'  export HF_ENDPOINT={hub.endpoint} HF_HOME="$(mktemp -d)"')
            output.flush()
            _wait(hub, quiet=quiet)
    except KeyboardInterrupt:
        output.line("The Hub has ended.", err=True)
    except OSError as error:
        case = f"The port {port} can't be had: {error.strerror or error}."
        raise UsageError(
            asked, case, "Choose another one, or leave --port out for any that is free."
        ) from error


def repositories_in(folder: Path, *, asked: str) -> dict[str, dict[str, Path]]:
    """Repository -> file name -> file. Hidden files are left out, and links that lead out of the
    folder.

    Raises: UsageError where there is no such folder, or nothing in it to serve.
    """
    if not folder.is_dir():
        raise UsageError(
            asked, "There is no such folder.", "Name a folder that has OWNER/NAME/FILE in it."
        )
    places = {
        f"{place.parent.name}/{place.name}": place
        for place in sorted(folder.glob("[!.]*/[!.]*"))
        if place.is_dir()
    }
    files_of = {name: _files(place, folder) for name, place in places.items()}
    files_of = {name: files for name, files in files_of.items() if files}
    if not files_of and (files := _files(folder, folder)):
        return {f"{LONELY}/{folder.resolve().name or 'files'}": files}
    if not files_of:
        raise UsageError(
            asked,
            "It has no file to serve.",
            "Put weights where their repository has them: OWNER/NAME/FILE.",
        )
    return files_of


def _files(place: Path, folder: Path) -> dict[str, Path]:
    inside = folder.resolve()
    names = {path.relative_to(place): path for path in sorted(place.rglob("*")) if path.is_file()}
    return {
        name.as_posix(): path
        for name, path in names.items()
        if not any(part.startswith(".") for part in name.parts)
        and path.resolve().is_relative_to(inside)
    }


def _wait(hub: LoopbackHub, *, quiet: bool) -> None:
    """Waits for an interrupt, and prints the requests, also those just before it."""
    printed = 0
    try:
        while True:
            time.sleep(GLANCE)
            printed = _print_requests(hub, printed, quiet=quiet)
    finally:
        _print_requests(hub, printed, quiet=quiet)


def _print_requests(hub: LoopbackHub, printed: int, *, quiet: bool) -> int:
    """Prints the requests after the first `printed`; returns how many there are."""
    requests = hub.requests
    for request in [] if quiet else requests[printed:]:
        output.line(f"{request.method} {request.path} {request.status}", err=True)
    return len(requests)
