"""One language in code and messages: verbs in summaries, `if` for conditions, *image* for an
image."""

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MODULES = sorted([*(ROOT / "zoo").rglob("*.py"), *(ROOT / "plugins").glob("*/detzoo_*/**/*.py")])
BANNED = {
    "was to be": r"\b(was|were) to be\b",
    "was asked for": r"\b(was|were) asked for\b",
    "is no X": r"(?<!there )(?<!There )\b(is|are) no (?!longer\b|more\b|other\b|way\b|such\b)[a-z]",
    "one a picture": r"\bone an? (image|level|class|box)\b",
    "so many": r"\bso many\b",
    "anew": r"\banew\b",
    "mend": r"\b[Mm]end(s|ed|ing)?\b",
    "beside": r"\bbeside\b",
    "where nobody": r"\bwhere nobody\b",
    "picture or photo": r"\b([Pp]ictures?|[Pp]hotos?)\b",
    "he, his": r"\b([Hh]e (?!et al)|[Hh]is\b)",
}
WHAT = re.compile(r"^What\b")


def prose(path: Path) -> Iterator[tuple[int, str]]:
    """Line and text of every string and comment of a module."""
    source = path.read_text()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.lineno, node.value


def summaries(path: Path) -> Iterator[tuple[str, str]]:
    """Name and docstring of a module, its classes and functions."""
    tree = ast.parse(path.read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
            yield getattr(node, "name", "the module"), ast.get_docstring(node) or ""


@pytest.mark.parametrize("phrase", BANNED)
def test_no_module_says(phrase: str) -> None:
    found = [
        f"{path.relative_to(ROOT)}:{line}: {text.strip()[:80]}"
        for path in MODULES
        for line, text in prose(path)
        if re.search(BANNED[phrase], text)
    ]
    assert found == []


def test_no_summary_is_a_what() -> None:
    found = [
        f"{path.relative_to(ROOT)}: {name}: {text[:80]}"
        for path in MODULES
        for name, text in summaries(path)
        if WHAT.match(text)
    ]
    assert found == []
