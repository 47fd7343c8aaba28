"""Options out of range and token files that are none are refused in words."""

from pathlib import Path

import pytest

from zoo.errors import UsageError
from zoo.serve.options import Options, is_loopback, tokens_of


@pytest.mark.parametrize(
    "settings",
    [
        {"max_batch": 0},
        {"max_batch": True},
        {"queue": 1.5},
        {"max_wait_ms": -1},
        {"max_megabytes": 0},
        {"timeout": float("inf")},
        {"receive": float("nan")},
        {"connections": 0},
    ],
)
def test_a_value_out_of_range_is_refused(settings: dict[str, object]) -> None:
    [name] = settings
    with pytest.raises(UsageError, match=f"Options.{name}=") as refused:
        Options(**settings)
    assert f"--{name.replace('_', '-')} " in refused.value.fix_cli


def test_tokens_are_lines_and_not_shown(tmp_path: Path) -> None:
    file = tmp_path / "tokens"
    file.write_text("# of the balancer\n0123456789abcdef\n\nfedcba9876543210  \n")
    assert tokens_of(file) == ("0123456789abcdef", "fedcba9876543210")
    assert "0123456789abcdef" not in repr(Options(tokens=tokens_of(file)))
    assert Options(max_wait_ms=0).max_bytes == 32_000_000


@pytest.mark.parametrize("text", [b"", b"# none\n", b"short\n", b"with a blank in it 1\n", b"\xff"])
def test_a_file_without_a_token_is_refused(text: bytes, tmp_path: Path) -> None:
    (tmp_path / "tokens").write_bytes(text)
    with pytest.raises(UsageError, match="--token-file"):
        tokens_of(tmp_path / "tokens")
    with pytest.raises(UsageError, match="can't be read"):
        tokens_of(tmp_path / "missing")


@pytest.mark.parametrize(
    ("host", "own"),
    [("127.0.0.1", True), ("localhost", True), ("::1", True), ("0.0.0.0", False), ("a.b", False)],
)
def test_loopback_is_known(host: str, own: bool) -> None:
    assert is_loopback(host) is own
