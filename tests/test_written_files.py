"""Every file that the project writes goes through `zoo.files`: whole or not at all, with one
wording of what went wrong."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
WRITER = ROOT / "zoo" / "files.py"
# Files, and what they write by themselves, with the reason.
ALLOWED = {
    ("zoo/registry/plugin_calls.py", "open"): "standard output, by its number",
    ("zoo/registry/isolated.py", "write_bytes"): "an answer in the parent's temporary folder",
    ("zoo/registry/isolated.py", "open"): "a line added to that answer",
    ("zoo/weights/url.py", "open"): "a download that goes on where it was",
    ("zoo/cli/help.py", "write_text"): "a line of help, by Click's formatter",
    ("zoo/draw/save.py", "save"): "an image into memory",
    ("zoo/gallery/jpeg.py", "save"): "an image into memory",
    ("zoo/data/convert.py", "save"): "an image into memory",
    ("zoo/leaderboard/disagreement.py", "save"): "an image into memory",
    ("zoo/testing/conformance/checks/input_forms.py", "save"): "an image into memory",
    ("zoo/engines/formats.py", "save"): "a graph in the temporary folder of an export",
    ("zoo/serve/client.py", "save"): "an image in memory, to be sent",
    ("zoo/serve/models.py", "save"): "an image in memory, to be looked at before the first request",
}
WRITING = {"write_text", "write_bytes", "savefig", "save", "save_file", "imwrite", "tofile"}
MOVING = {("os", "replace"), ("os", "rename"), ("shutil", "move"), ("shutil", "copyfile")}


def mode_of(call: ast.Call) -> str:
    """The mode that a call of `open` is given, if it is written there."""
    place = 0 if isinstance(call.func, ast.Attribute) else 1
    modes = [
        *call.args[place : place + 1],
        *(one.value for one in call.keywords if one.arg == "mode"),
    ]
    return "".join(
        one.value for one in modes if isinstance(one, ast.Constant) and isinstance(one.value, str)
    )


def writes(call: ast.Call) -> str:
    """The name of a call that writes a file which is no draft, else nothing."""
    receiver = call.func.value if isinstance(call.func, ast.Attribute) else None
    if any(isinstance(one, ast.Name) and one.id == "draft" for one in [receiver, *call.args]):
        return ""
    name = getattr(call.func, "attr", getattr(call.func, "id", ""))
    if name == "save" and receiver is None:  # a function of ours, or of safetensors to bytes
        return ""
    if name == "open":
        return name if set(mode_of(call)) & set("wax+") else ""
    module = receiver.id if isinstance(receiver, ast.Name) else ""
    return name if name in WRITING or (module, name) in MOVING else ""


def found_in(path: Path) -> set[tuple[str, str]]:
    calls = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
    return {(str(path.relative_to(ROOT)), name) for name in map(writes, calls) if name}


CODE = [
    path
    for path in sorted([*(ROOT / "zoo").rglob("*.py"), *(ROOT / "plugins").rglob("*.py")])
    if path != WRITER and "tests" not in path.parts
]


def test_files_are_written_in_one_module() -> None:
    found = set[tuple[str, str]]().union(*map(found_in, CODE))
    assert found - ALLOWED.keys() == set()
    assert ALLOWED.keys() - found == set()


def test_drafts_are_moved_in_one_module() -> None:
    users = [path for path in CODE if "draft_of" in path.read_text()]
    assert users == [ROOT / "zoo" / "drafts.py"]


@pytest.mark.parametrize(
    "code",
    [
        "open(path, 'w')",
        "open(path, mode='ab')",
        "path.open('x')",
        "path.write_text('a')",
        "figure.savefig(path)",
        "os.replace(a, b)",
        "image.save(path)",
        "save_file(tensors, path)",
    ],
)
def test_what_writes_is_seen(code: str) -> None:
    [call] = [node for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Call)]
    assert writes(call)


@pytest.mark.parametrize(
    "code", ["open(path)", "path.open('rb')", "draft.write_text('a')", "save_file(a, draft)"]
)
def test_what_reads_or_writes_a_draft_is_not(code: str) -> None:
    [call] = [node for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Call)]
    assert not writes(call)
