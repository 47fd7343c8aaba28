"""`zoo plugins new`: writes a working plugin distribution as a starting point."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import typer

from zoo.cli import output
from zoo.errors import UsageError
from zoo.files import write_errors, write_file
from zoo.registry import catalogue
from zoo.registry.registry_file import CORE, USER
from zoo.registry.schema import NAME_PATTERN

TEMPLATE = Path(__file__).parent.parent / "template"
# file of the template -> file of the plugin
PROJECT = {
    "pyproject.toml.txt": "pyproject.toml",
    "LICENSE.txt": "LICENSE",
    "gitignore.txt": ".gitignore",
    "workflow.yml.txt": ".github/workflows/tests.yml",
    "test_conformance.py.txt": "tests/test_conformance.py",
}
BACKBONE = {
    "README.md.txt": "README.md",
    "init.py.txt": "{package}/__init__.py",
    "network.py.txt": "{package}/network.py",
    "cards.yaml.txt": "{package}/cards.yaml",
}
DETECTOR = {
    "detector_README.md.txt": "README.md",
    "detector_init.py.txt": "{package}/__init__.py",
    "detector.py.txt": "{package}/detector.py",
    "detector_cards.yaml.txt": "{package}/cards.yaml",
}


def new_plugin(
    name: Annotated[
        str,
        typer.Argument(metavar="NAME", help="What the plugin is to be called.", show_default=False),
    ],
    to: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="A new or empty folder; without it, detzoo-NAME in this one.",
        ),
    ] = None,
    detector: Annotated[
        bool,
        typer.Option(
            "--detector",
            help="A whole detector in place of a backbone under a neck and a head of the zoo.",
        ),
    ] = False,
) -> None:
    """Write a plugin that works: a small detector, its card, and a test that holds it to what the
    zoo promises.

    It comes with a licence, a .gitignore, and a workflow for GitHub that runs the test on every
    push.
    """
    _check_name(name)
    folder = to or Path(f"detzoo-{name}")
    if folder.exists() and (not folder.is_dir() or any(map(_is_content, folder.iterdir()))):
        free = folder / f"detzoo-{name}" if folder.is_dir() else "FOLDER"
        raise UsageError(
            f"The plugin '{name}' can't be written to '{folder}'.",
            "That is there already, and is not an empty folder; hidden files and virtual "
            "environments do not count.",
            f"Choose another folder: --to {free}",
        )
    for path, text in plugin_files(name, detector=detector).items():
        with write_errors(folder / path, UsageError, fix="Choose another folder with --to."):
            write_file(folder / path, text, durable=False)
        output.line(str(folder / path))
    output.line("")
    output.line(
        f'pip install --editable "{folder}[test]" && zoo check {name.replace("-", "_")}_small'
    )


def _is_content(entry: Path) -> bool:
    """Whether the entry makes its folder count as not empty: hidden files and virtual environments
    do not."""
    return not (entry.name.startswith(".") or (entry / "pyvenv.cfg").is_file())


def plugin_files(name: str, *, detector: bool = False) -> dict[str, str]:
    """The files of a new plugin: text by path."""
    identifier = name.replace("-", "_")
    words = {
        "name": name,
        "identifier": identifier,
        "package": f"detzoo_{identifier}",
        "model": f"{identifier}_small",
        "class": "".join(word.capitalize() for word in re.split(r"[-_]+", name)),
        "title": re.sub(r"[-_]+", " ", name).capitalize(),
    }

    def fill(text: str) -> str:
        return re.sub(r"\{(\w+)\}", lambda match: words.get(match[1], match[0]), text)

    files = PROJECT | (DETECTOR if detector else BACKBONE)
    texts = {
        fill(path): fill((TEMPLATE / file).read_text(encoding="utf-8"))
        for file, path in files.items()
    }
    return {
        path: _align_comments(text) if path.endswith(".md") else text
        for path, text in texts.items()
    }


def _align_comments(text: str) -> str:
    """Aligns the comments behind commands, which names of different lengths have shifted."""
    commented = re.compile(r"^(\S.*?\S) +(# .*)$", re.MULTILINE)
    width = max((len(match[1]) for match in commented.finditer(text)), default=0)
    return commented.sub(lambda match: f"{match[1]:{width}}  {match[2]}", text)


def _check_name(name: str) -> None:
    """Raises: UsageError for a name that is not valid, or that an installed plugin has."""
    failure = f"A plugin called '{name}' can't be written."
    if (
        name in (CORE, USER)
        or not re.fullmatch(NAME_PATTERN, name)
        or not re.fullmatch(r"[a-z][a-z0-9]*([_-][a-z0-9]+)*", name)
    ):
        case = (
            "Names have lower-case letters, digits, - and _, begin with a letter, and are not "
            "'core' or 'user'."
        )
        raise UsageError(failure, case, "Choose one such as 'acme': zoo plugins new acme")
    for info in catalogue().plugins:
        if info.name == name:
            case = (
                f"{info.distribution} {info.version} has a plugin of that name, and only one of "
                f"the two would be loaded."
            )
            raise UsageError(failure, case, "Choose another name.")
