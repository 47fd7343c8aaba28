"""The shape of the code base: what a reader may rely on in every file."""

import ast
import subprocess
import sys
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
CODE = sorted(
    [
        *(ROOT / "zoo").rglob("*.py"),
        *(ROOT / "plugins").rglob("*.py"),
        *(ROOT / "benchmarks").rglob("*.py"),
    ]
)
OURS = [path for path in CODE if "tests" not in path.parts]
TESTS = sorted([*(ROOT / "tests").rglob("*.py"), *(path for path in CODE if "tests" in path.parts)])


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def faults(paths: Iterable[Path], of: Callable[[Path], object]) -> dict[str, object]:
    """The files that break a rule, each with what is wrong in it."""
    return {named(path): fault for path in paths if (fault := of(path))}


def test_a_file_can_be_read_in_one_sitting() -> None:
    def too_many(path: Path) -> int:
        lines = len(path.read_text().splitlines())
        return lines if lines > 400 else 0

    assert faults(OURS + TESTS, too_many) == {}


def test_a_function_fits_on_a_screen() -> None:
    def long_functions(path: Path) -> list[str]:
        functions = [
            node
            for node in ast.walk(tree_of(path))
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        ]
        return [
            f"{one.name}: {one.end_lineno - one.lineno + 1} lines"
            for one in functions
            if one.end_lineno - one.lineno >= 50
        ]

    assert faults(OURS, long_functions) == {}


def test_a_file_says_at_its_top_what_it_promises() -> None:
    def no_promise(path: Path) -> str:
        promise = ast.get_docstring(tree_of(path)) or ""
        ends = promise.split("\n\n")[0].rstrip()[-1:]
        return "" if ends and ends in ".:;,?" else f"It begins with {promise[:40]!r}"

    assert faults(OURS, no_promise) == {}


def test_no_file_is_a_drawer_for_everything() -> None:
    drawers = {"utils", "util", "misc", "helpers", "common", "base", "core"}
    assert [named(path) for path in OURS if path.stem in drawers] == []


MODULES = sorted(
    named(path).removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    for path in (ROOT / "zoo").rglob("*.py")
    if path.name != "__main__.py"
)

IMPORT_EACH = """
import importlib, os, sys, warnings
warnings.simplefilter("error")
before = dict(os.environ)
for name in sys.argv[1:]:
    importlib.import_module(name)
keys = before.keys() | os.environ.keys()
changed = {key for key in keys if before.get(key) != os.environ.get(key)}
changed -= {"KMP_DUPLICATE_LIB_OK", "KMP_INIT_AT_FORK", "TORCHINDUCTOR_CACHE_DIR"}  # torch's own
assert not changed, changed
"""


def test_importing_every_module_warns_of_nothing_and_changes_no_environment() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", IMPORT_EACH, *MODULES], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


def test_importing_zoo_imports_nothing_heavy() -> None:
    heavy = "{'torch', 'numpy', 'torchvision', 'timm', 'PIL', 'rich', 'huggingface_hub'}"
    code = (
        f"import sys, zoo; found = {heavy} & set(sys.modules); sys.exit(str(found) if found else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


OWN = ("zoo", "detzoo_")
# of Python, torch and torchvision, which have no other name
OTHERS_PRIVATE = {"_dynamo", "_exit", "_post_nms_top_n"}


def private_names(tree: ast.AST) -> set[str]:
    """Names with one underscore that a file takes from somewhere else than itself."""
    found: set[str] = set()
    for node in ast.walk(tree):
        names: list[str] = []
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(OWN):
            names = [*str(node.module).split("."), *(alias.name for alias in node.names)]
        elif isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names if alias.name.startswith(OWN)]
            names = [part for module in modules for part in module.split(".")]
        elif isinstance(node, ast.Attribute) and ast.unparse(node.value) not in {"self", "cls"}:
            names = [node.attr]
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith(("setattr", "getattr")):
            texts = [one.value for one in node.args[:2] if isinstance(one, ast.Constant)]
            names = [str(text).rpartition(".")[2] for text in texts]
        found |= {name for name in names if name.startswith("_") and not name.startswith("__")}
    return found


def test_no_test_reaches_a_private_name() -> None:
    assert faults(TESTS, lambda path: private_names(tree_of(path)) - OTHERS_PRIVATE) == {}


@pytest.mark.parametrize(
    "code",
    [
        "from zoo.data import _x",
        "import zoo._x",
        "index._x()",
        "monkeypatch.setattr(index, '_x', 1)",
        "monkeypatch.setattr('zoo.index._x', 1)",
    ],
)
def test_a_private_name_is_seen(code: str) -> None:
    assert private_names(ast.parse(code)) == {"_x"}


MOST_UNTESTED = 30  # lines of code that a module may have without a test file of its own
# Folders whose modules have a test file each: `zoo/data/merge.py` has `tests/data/test_merge.py`.
MIRRORED = sorted(
    {str(path.parent.relative_to(ROOT / "zoo")) for path in (ROOT / "zoo").rglob("*.py")}
)


def code_lines(path: Path) -> int:
    """Lines of statements, without docstrings, comments and blank ones."""
    lines: set[int] = set()
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.stmt) and not isinstance(getattr(node, "value", 0), ast.Constant):
            end = node.lineno if hasattr(node, "body") else node.end_lineno
            lines |= set(range(node.lineno, (end or node.lineno) + 1))
    return len(lines)


def without_test(folder: Path, tests: Path) -> list[str]:
    """The modules of a folder that have code and no test file of their name."""
    modules = [path for path in sorted(folder.glob("*.py")) if not path.stem.startswith("__")]
    long = [path for path in modules if code_lines(path) > MOST_UNTESTED]
    return [path.stem for path in long if not (tests / f"test_{path.stem}.py").is_file()]


@pytest.mark.parametrize("folder", MIRRORED)
def test_every_module_has_its_test_file(folder: str) -> None:
    assert without_test(ROOT / "zoo" / folder, ROOT / "tests" / folder) == []


@pytest.mark.parametrize("plugin", ["shapes", "timm", "torchvision", "yolox"])
def test_every_module_of_a_plugin_has_its_test_file(plugin: str) -> None:
    home = ROOT / "plugins" / plugin
    modules, tests = home / f"detzoo_{plugin}", home / "tests"
    folders = [modules, *(path for path in modules.rglob("*") if path.is_dir())]
    untested = {
        str(folder.relative_to(home)): without_test(folder, tests / folder.relative_to(modules))
        for folder in folders
    }
    assert not any(untested.values()), untested
