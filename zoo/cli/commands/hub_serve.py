"""`zoo hub serve`: serves a folder as a Hub on this machine, to try models before publishing them.

    FOLDER/you/blob/model.safetensors      is a file of the repository you/blob
    FOLDER/model.safetensors               is a file of local/FOLDER, if the folder has only files

Each repository has one commit, whose id is a hash of its content, so that a card with this revision
stays valid until a file changes.
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

POLL_SECONDS = 0.2  # between two checks for new requests
DEFAULT_OWNER = "local"  # of the repository, if the folder has only files


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
    failure = f"'{folder}' can't be served as a Hub."
    repositories = repositories_in(folder, failure=failure)
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
            failure, case, "Choose another one, or leave --port out for any that is free."
        ) from error


def repositories_in(folder: Path, *, failure: str) -> dict[str, dict[str, Path]]:
    """The files of each repository, by name. Leaves out hidden files, and links that lead out of
    the folder.

    failure: the first part of an error.

    Raises: UsageError if there is no such folder, or it has no files.
    """
    if not folder.is_dir():
        raise UsageError(
            failure, "There is no such folder.", "Name a folder that has OWNER/NAME/FILE in it."
        )
    folders = {
        f"{repository.parent.name}/{repository.name}": repository
        for repository in sorted(folder.glob("[!.]*/[!.]*"))
        if repository.is_dir()
    }
    files_of = {name: _files(repository, folder) for name, repository in folders.items()}
    files_of = {name: files for name, files in files_of.items() if files}
    if not files_of and (files := _files(folder, folder)):
        return {f"{DEFAULT_OWNER}/{folder.resolve().name or 'files'}": files}
    if not files_of:
        raise UsageError(
            failure,
            "It has no file to serve.",
            "Put weights where their repository has them: OWNER/NAME/FILE.",
        )
    return files_of


def _files(repository: Path, folder: Path) -> dict[str, Path]:
    inside = folder.resolve()
    names = {
        path.relative_to(repository): path
        for path in sorted(repository.rglob("*"))
        if path.is_file()
    }
    return {
        name.as_posix(): path
        for name, path in names.items()
        if not any(part.startswith(".") for part in name.parts)
        and path.resolve().is_relative_to(inside)
    }


def _wait(hub: LoopbackHub, *, quiet: bool) -> None:
    """Prints requests until an interrupt, including those just before it."""
    printed = 0
    try:
        while True:
            time.sleep(POLL_SECONDS)
            printed = _print_requests(hub, printed, quiet=quiet)
    finally:
        _print_requests(hub, printed, quiet=quiet)


def _print_requests(hub: LoopbackHub, printed: int, *, quiet: bool) -> int:
    """Prints the requests after the first `printed`; returns the number of all requests."""
    requests = hub.requests
    for request in [] if quiet else requests[printed:]:
        output.line(f"{request.method} {request.path} {request.status}", err=True)
    return len(requests)
