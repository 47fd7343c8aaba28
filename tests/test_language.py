"""One language in code and messages: verbs in summaries, `if` for conditions, *image* for an
image."""

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from functools import cache
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
PAGES = sorted(
    [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "plugins").glob("*/*.md")]
)
WHAT = re.compile(r"^What\b")
# Words that say that there is a value, and not which: a local is named for what it holds.
NO_NOUNS = {
    *("asked", "found", "given", "kept", "known", "made", "meant", "one", "said", "seen", "there"),
    *("told", "wanted", "whole", "why"),
}


@cache
def prose(path: Path) -> list[tuple[int, str]]:
    """Line and text of every string and comment of a module."""
    source = path.read_text()
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    comments = [
        (token.start[0], token.string) for token in tokens if token.type == tokenize.COMMENT
    ]
    constants = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Constant)]
    return comments + [
        (node.lineno, node.value) for node in constants if isinstance(node.value, str)
    ]


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


@pytest.mark.parametrize("phrase", sorted(BANNED.keys() - {"is no X", "beside"}))
def test_no_page_says(phrase: str) -> None:
    lines = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()[:80]}"
        for path in PAGES
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if re.search(BANNED[phrase], line)
    ]
    assert lines == []


def test_no_summary_is_a_what() -> None:
    found = [
        f"{path.relative_to(ROOT)}: {name}: {text[:80]}"
        for path in MODULES
        for name, text in summaries(path)
        if WHAT.match(text)
    ]
    assert found == []


def fields_of(tree: ast.AST) -> set[ast.expr]:
    """The names that classes declare: `found: int` of a record is a fact of every use of it."""
    classes = [node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    bodies = [statement for node in classes for statement in node.body]
    return {statement.target for statement in bodies if isinstance(statement, ast.AnnAssign)}


def local_names(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Line and name of whatever is assigned, looped over, caught, matched or taken as an
    argument."""
    fields = fields_of(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            if isinstance(node.ctx, ast.Store) and node not in fields:
                yield node.lineno, node.id
        elif isinstance(node, ast.arg):
            yield node.lineno, node.arg
        elif isinstance(node, ast.ExceptHandler | ast.MatchAs | ast.MatchStar) and node.name:
            yield node.lineno, node.name


def test_locals_are_nouns_of_what_they_hold() -> None:
    unnamed = [
        f"{path.relative_to(ROOT)}:{line}: {name}"
        for path in MODULES
        for line, name in local_names(ast.parse(path.read_text()))
        if name in NO_NOUNS
    ]
    assert unnamed == []


@pytest.mark.parametrize(
    "code",
    [
        "found = 1",
        "found: int = 1",
        "found += 1",
        "a, (found, b) = c",
        "if (found := a): b",
        "for found in a: b",
        "[found for found in a]",
        "with a as found: b",
        "try: a\nexcept E as found: b",
        "match a:\n case [*found]: b",
        "match a:\n case {'x': found}: b",
        "def f(found): a",
        "lambda found: a",
    ],
)
def test_a_local_is_met_wherever_it_is_bound(code: str) -> None:
    assert "found" in {name for _, name in local_names(ast.parse(code))}


def test_fields_and_uses_are_no_locals() -> None:
    code = "class A:\n found: int = 0\na.found = found\nf(found=b)"
    assert "found" not in {name for _, name in local_names(ast.parse(code))}
