"""Writes docs/reference: a page a module, made from signatures and docstrings; `--check` says
whether the pages are current."""

from __future__ import annotations

import argparse
import importlib
import inspect
import io
import os
import re
from contextlib import redirect_stdout
from functools import cached_property
from itertools import pairwise
from pathlib import Path

from zoo.cli.app import COMMANDS, app
from zoo.cli.format import format_count, format_license, format_number, format_size
from zoo.registry import Entry, catalogue
from zoo.registry.card import PackageSource

PAGES = Path(__file__).parent / "reference"
MODULES = {
    "zoo": "What `import zoo` offers.",
    "zoo.detectors": "Detectors: loading by name, preprocess and steps, detect().",
    "zoo.detectors.preprocess": "Images to the network's input, as a card says.",
    "zoo.detections": "What a detector saw, and what can be done with it.",
    "zoo.boxes": "Box arithmetic.",
    "zoo.labels": "Label spaces.",
    "zoo.images": "Images in every form.",
    "zoo.draw": "Annotated images.",
    "zoo.gallery": "Pages to look at: images with their boxes, one HTML file.",
    "zoo.registry": "Models, parts and plugins, as data.",
    "zoo.registry.card": "The schema of a card.",
    "zoo.registry.hookspecs": "The hooks of a plugin.",
    "zoo.weights": "Weights: fetched, checked, locked, bundled.",
    "zoo.contract": "What backbones, necks and heads agree on, and what flows through them.",
    "zoo.data": "Data sets: images, and what is really in them.",
    "zoo.evaluate": "Measured numbers: exact, with intervals, from flat arrays.",
    "zoo.evaluate.evaluate": "What `zoo.evaluate(…)` does.",
    "zoo.evaluate.predictions.provenance": "What a number is of, by key.",
    "zoo.evaluate.gallery": "A page of detections with the truth.",
    "zoo.evaluate.plots": "Static plots of a report.",
    "zoo.cluster": "Many processes and machines, by Ray.",
    "zoo.engines": "Engines: exported networks, written and run.",
    "zoo.publish": "Publishing: the folder of a run as a repository of the Hub.",
    "zoo.train": "Training: a recipe, one loop for every detector with a loss.",
    "zoo.train.train": "What `zoo.train(…)` does.",
    "zoo.train.recipe": "Every field of a recipe.",
    "zoo.timing": "Timing: latency, throughput, memory and start-up of models and engines.",
    "zoo.leaderboard": "Models side by side on one page, with ranks, checks and entries of others.",
    "zoo.serve": "Detections over HTTP: a server, its options, a client.",
    "zoo.video": "Clips, cameras and streams.",
    "zoo.testing": "For the tests of plugins: the conformance kit, a Hub on this machine.",
    "zoo.testing.conformance.checks": "Every check of the kit.",
    "zoo.errors": "Every error, and its exit code.",
}
GROUPS = {
    "data": ("check", "convert", "split"),
    "leaderboard": ("build", "check"),
}  # commands with commands of their own


def public(module: object) -> dict[str, object]:
    """The names a module offers: `__all__`, else what it re-exports or defines without an
    underscore."""
    names = getattr(module, "__all__", None) or [
        name for name in vars(module) if not name.startswith("_")
    ]
    home = str(module.__name__)  # type: ignore[attr-defined]
    package = hasattr(module, "__path__")
    found = {name: getattr(module, name) for name in names}
    return {name: thing for name, thing in found.items() if belongs(thing, home, package)}


def belongs(thing: object, home: str, package: bool) -> bool:
    """Whether a thing is documented on this module's page: it was defined there, or below it."""
    if inspect.ismodule(thing):
        return False
    origin = str(getattr(thing, "__module__", None) or "")
    return origin != "" and (
        origin == home or (package and origin.startswith(home + ".")) or home == "zoo"
    )


def fenced(text: str, language: str = "text") -> str:
    return f"```{language}\n{text}\n```\n"


def docstring(thing: object) -> str:
    """A docstring as Markdown: prose, a list of what it says of each parameter, of errors."""
    text = inspect.getdoc(thing) or ""
    if "\n\n|" in text:
        first, _, table = text.partition("\n\n")
        return f"{' '.join(first.splitlines())}\n\n{table}\n"
    summary, *blocks = re.split(r"\n{2,}", text)
    return "\n\n".join([prose(summary), *map(markdown, blocks)]) + "\n"


def prose(summary: str) -> str:
    """The first paragraph: its first sentence is no parameter, however it begins."""
    first, *lines = summary.splitlines() or [""]
    rest = markdown("\n".join(lines)) if lines else ""
    return f"{first}\n\n{rest}" if rest.startswith(("- ", "**")) else f"{first} {rest}".strip()


PARAMETER = re.compile(r"([a-z_*][\w*.]*(?:, [\w*.]+)*):(?: +(.*))?$")
SECTION = re.compile(r"(Raises|Warns|Returns):(?: +(.*))?$")


def markdown(block: str) -> str:
    """One paragraph of a docstring; what is indented by itself is a drawing, and stays as it is."""
    lines = block.splitlines()
    if lines[0].startswith(" ") or "├" in block:
        return fenced(block).rstrip()
    items: list[list[str]] = []  # each a mark, and the words after it
    for line in lines:
        text = line.strip()
        if section := SECTION.match(line):
            items.append(["\n", f"**{section[1]}**: {section[2] or ''}".rstrip()])
        elif line.startswith(" ") and items and items[-1][0] != "":
            add(items, line)
        elif (parameter := PARAMETER.match(line)) and may_follow(items):
            names = ", ".join(f"`{name.strip()}`" for name in parameter[1].split(","))
            items.append(["- ", f"{names}: {parameter[2] or ''}".rstrip()])
        elif text.startswith("- "):
            items.append(["- ", text[2:]])
        elif not items or items[-1][0] == "- ":
            items.append(["", text])
        else:
            items[-1].append(text)
    lists = [mark == "- " for mark, *_ in items]
    gaps = ["\n" if pair == (True, True) else "\n\n" for pair in pairwise(lists)]
    texts = [f"{mark.strip()} {' '.join(words)}".strip() for mark, *words in items]
    return "".join(text + gap for text, gap in zip(texts, [*gaps, ""], strict=True))


def may_follow(items: list[list[str]]) -> bool:
    """Whether a parameter may come next: not in the middle of a sentence."""
    return not items or items[-1][0] == "- " or items[-1][-1].endswith((".", ":"))


def add(items: list[list[str]], line: str) -> None:
    """A line that belongs to the item before it; under a bare `Raises:` each entry is an item."""
    section, entry = "**:", re.match(r" {4}[A-Z`]\S*.*?: ", line)
    under = next((words[-1] for mark, *words in reversed(items) if mark == "\n"), "")
    if entry and under.endswith(section):
        items.append(["- ", line.strip()])
    else:
        items[-1].append(line.strip())


def signature(name: str, thing: object) -> str:
    """How to call it: on one line where that fits, else a line a parameter."""
    try:
        found = inspect.signature(thing)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return ""
    text = readable(f"{name}{found}")
    if len(text) <= 110:
        return text
    parameters = [
        str(found.replace(parameters=[one], return_annotation=found.empty))[1:-1]
        for one in found.parameters.values()
    ]
    lines = [f"    {readable(one).removeprefix('*, ')},\n" for one in parameters]
    kinds = [one.kind for one in found.parameters.values()]
    if inspect.Parameter.KEYWORD_ONLY in kinds:
        lines.insert(kinds.index(inspect.Parameter.KEYWORD_ONLY), "    *,\n")
    answer = readable(str(found.replace(parameters=[])))[2:]
    return f"{name}(\n{''.join(lines)}){answer}"


def attribute(name: str, thing: property | cached_property[object]) -> str:
    """What a property is: its name and type."""
    getter = thing.func if isinstance(thing, cached_property) else thing.fget
    return readable(f"{name}: {inspect.signature(getter).return_annotation}") if getter else name


def readable(text: str) -> str:
    """Annotations without quotes, modules and the schema's limits; functions by their name, not by
    where they are in memory."""
    text = re.sub(r"<function ([\w.]+) at 0x[0-9a-f]+>", r"\1", text)
    text = re.sub(
        r"(: |-> )(['\"])(.*?)\2(?= =|,|\)|$)", r"\1\3", text
    )  # annotations that are kept as text
    text = re.sub(
        r"<function ([\w.]+) at 0x[0-9a-f]+>", r"\1", text
    )  # a default; its address is another each time
    text = re.sub(r"Optional\[(Annotated\[.*?Meta\(.*?\)\])\]", r"\1 | None", text)
    text = re.sub(r"(?:typing\.)?Annotated\[([\w.\[\]]+), (?:msgspec\.)?Meta\(.*?\)\]", r"\1", text)
    return re.sub(r"\b(?:zoo\.[a-z_.]+|typing|collections\.abc|pathlib)\.(?=[A-Z])", "", text)


def members(kind: type) -> dict[str, object]:
    own = {
        name: thing
        for name, thing in vars(kind).items()
        if not name.startswith("_") and inspect.getdoc(thing)
    }
    return {
        name: thing
        for name, thing in own.items()
        if inspect.isroutine(thing)
        or isinstance(thing, property | cached_property | classmethod | staticmethod)
    }


def entry(name: str, thing: object) -> str:
    """One public name: its signature, its docstring, and for a class its methods."""
    if not (inspect.isclass(thing) or callable(thing)):
        return (
            f"## `{name}`\n\n{fenced(repr(thing), 'python')}\n"
            if isinstance(thing, str | int | float | tuple | frozenset)
            else ""
        )
    lines = [f"## `{name}`\n"]
    is_error = inspect.isclass(thing) and issubclass(thing, Exception)
    if not is_error and signature(name, thing):
        lines.append(fenced(signature(name, thing), "python"))
    lines.append(docstring(thing))
    if inspect.isclass(thing) and not is_error:
        for method, body in members(thing).items():
            body = body.__func__ if isinstance(body, classmethod | staticmethod) else body
            head = (
                attribute(method, body)
                if isinstance(body, property | cached_property)
                else signature(method, body)
            )
            lines.append(f"### `{name}.{method}`\n\n{fenced(head, 'python')}\n{docstring(body)}")
    return "\n".join(lines) + "\n"


def page(name: str) -> str:
    """The page of one module."""
    module = importlib.import_module(name)
    entries = [
        entry(one, thing)
        for one, thing in sorted(public(module).items(), key=lambda pair: pair[0].lower())
    ]
    return f"# {name}\n\n{docstring(module)}\n" + "\n".join(filter(None, entries))


def commands() -> str:
    """The help of every command, as it is printed where a terminal has 80 columns."""
    text = "# The command `zoo`\n\n"
    groups = ([name, word] for name, inner in GROUPS.items() for word in inner)
    os.environ |= {"COLUMNS": "80", "NO_COLOR": "1", "TERM": "dumb"}
    for words in ([], *([name] for name in COMMANDS), *groups):
        with redirect_stdout(io.StringIO()) as printed:
            app(words)([*words, "--help"], prog_name="zoo", standalone_mode=False)
        help_text = "\n".join(line.rstrip() for line in printed.getvalue().strip("\n").splitlines())
        text += f"## `zoo {' '.join(words)}".rstrip() + f"`\n\n{fenced(help_text)}\n"
    return text


BUNDLED = ("yolox", "torchvision", "shapes")  # plugins of the wheel that bring models
MODELS = """# Models

What `zoo list` shows, made from the cards by `docs/build_reference.py`. *AP* is claimed by the authors on COCO val2017;
`zoo show NAME` has the source of each number. *Input* is the side of a square in pixels, or the shorter and the longest
edge. One licence stands for code and weights, two for code / weights; – is not stated. [Exports](exports.md) says what
can be written as ONNX, OpenVINO or a program, and [Conformance](conformance.md) what has been checked of each.

| name | family | AP | parameters | GFLOPs | input | licence | weights |
|---|---|---|---|---|---|---|---|
"""


def models() -> str:
    """The page of every bundled model."""
    return MODELS + "".join(
        f"| {' | '.join(facts(catalogue().resolve(name).entry))} |\n"
        for plugin in BUNDLED
        for name, _ in catalogue().rows(f"{plugin}/*")
    )


def facts(entry: Entry) -> tuple[str, ...]:
    """One model: the cells of its row."""
    _, row = catalogue().rows(entry.qualified)[0]
    sources = entry.card.weights[row.default].files["model"] if row.default else []
    size = "–" if row.megabytes is None else f"{row.megabytes:.3g} MB"
    return (
        f"`{entry.name}`",
        row.family or "–",
        format_number(row.ap),
        format_count(row.parameters),
        format_number(row.gflops),
        format_size(row.size, row.resize),
        format_license(row.code_license, row.weights_license),
        "in the wheel" if any(isinstance(source, PackageSource) for source in sources) else size,
    )


WRITTEN = {
    "settings": "Environment variables",
    "cards": "The fields of a card",
    "evaluation": "Protocols, annotation files, policies and reports",
    "leaderboard": "Boards, checks and entries",
    "exit-codes": "Exit codes",
    "benchmarks": "Measured speed and memory",
    "conformance": "Every bundled model against every check",
    "exports": "What can be exported to which format",
    "timm-audit": "timm's networks as backbones",
}


def pages() -> dict[str, str]:
    """File name to text, for every page."""
    index = "# Reference\n\nMade from the code by `docs/build_reference.py`.\n\n"
    index += "".join(f"- [{name}]({name}.md): {promise}\n" for name, promise in MODULES.items())
    index += "- [zoo, the command](commands.md): every option, as `--help` prints it.\n"
    index += "- [Models](models.md): every bundled model, with its facts.\n"
    index += "\nWritten by hand, or made by scripts of their own:\n\n"
    index += "".join(f"- [{title}]({name}.md)\n" for name, title in WRITTEN.items())
    made = {f"{name}.md": page(name) for name in MODULES}
    return {"index.md": index, "commands.md": commands(), "models.md": models(), **made}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--check", action="store_true", help="write nothing; exit 1 where a page is not current"
    )
    check = parser.parse_args().check
    stale = []
    for name, text in pages().items():
        file = PAGES / name
        text = "\n".join(line.rstrip() for line in text.splitlines()) + "\n"
        if not file.exists() or file.read_text() != text:
            stale.append(name)
            if not check:
                PAGES.mkdir(exist_ok=True)
                file.write_text(text)
    if check and stale:
        raise SystemExit(f"not current: {', '.join(stale)}; run: python docs/build_reference.py")


if __name__ == "__main__":
    main()
