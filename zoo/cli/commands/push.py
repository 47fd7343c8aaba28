"""`zoo push`: publishes the folder of a run on the Hub.

With `--json`, one object: name, revision, url, files, licenses {weights, data, code}.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from zoo.cli import output, stderr
from zoo.environment import expand_home
from zoo.errors import UsageError

NO_LICENSE_WARNING = (
    "No licence is stated for the weights, and the page says so. State one: --license MIT, or "
    "another of https://spdx.org/licenses"
)


def push(
    folder: Annotated[
        Path, typer.Argument(metavar="FOLDER", help="Folder of a run, as zoo train prints it.")
    ],
    repo: Annotated[
        str, typer.Argument(metavar="ORG/NAME", help="The repository; made if there is none.")
    ],
    private: Annotated[
        bool, typer.Option("--private", help="For you and your organisation alone.")
    ] = False,
    license: Annotated[
        str | None,
        typer.Option(
            "--license", metavar="ID", help="Licence of the weights, an SPDX id such as MIT."
        ),
    ] = None,
    data_license: Annotated[
        str | None,
        typer.Option("--data-license", metavar="ID", help="Licence of the images."),
    ] = None,
    token_file: Annotated[
        Path | None,
        typer.Option(metavar="PATH", help="With a token; else HF_TOKEN, or hf auth login's."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON.")] = False,
) -> None:
    """Publish the folder of a run on the Hub, with a model page, so that others load it by name.

    What goes there is the card, the weights, the recipe, the report and the page, in one commit or
    not at all; checkpoints, samples and paths of this machine stay here. A second push replaces the
    first, which stays in the history.
    """
    from zoo.publish import push as publish  # deferred: numpy, which help does not need

    token = None if token_file is None else _token(token_file)
    published = publish(
        folder,
        repo,
        private=private,
        license=license,
        data_license=data_license,
        token=token,
    )
    if as_json:
        facts = msgspec.to_builtins(published)
        output.document(json.dumps(facts, indent=2))
    else:
        output.line(f"{published.name}@{published.revision}  {published.url}")
    if published.licenses.weights is None:
        stderr.warning(NO_LICENSE_WARNING)


def _token(path: Path) -> str:
    """The token in a file. Raises: UsageError if the file can't be read, or has anything else."""
    try:
        token = expand_home(path).read_text(encoding="ascii").strip()
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        case = f"It can't be read: {reason}."
        raise UsageError(f"--token-file {path} was given.", case, "Correct the path.") from None
    if not token or len(token.split()) > 1:
        case = "It does not hold exactly one token."
        raise UsageError(f"--token-file {path} was given.", case, "Put the token alone into it.")
    return token
