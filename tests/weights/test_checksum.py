"""Checksums: a prefix is enough, and the first that a file breaks is the one that is reported."""

import hashlib
from pathlib import Path

import pytest

from zoo.errors import CacheError, IntegrityError, LockError
from zoo.weights.checksum import Checksum, first_mismatch, sha256_of

DIGEST = hashlib.sha256(b"weights").hexdigest()


@pytest.mark.parametrize("length", [8, 16, 64])
def test_the_first_digits_are_enough(length: int) -> None:
    assert Checksum(DIGEST[:length], "the card").kept(DIGEST)


def test_the_first_that_is_broken_is_the_one_that_is_told() -> None:
    kept, first, second = (
        Checksum(DIGEST[:8], "the card"),
        Checksum("0" * 64, "the lock file", LockError, "Lock again."),
        Checksum("1" * 64, "the bundle"),
    )
    assert first_mismatch([kept], DIGEST) is None
    assert first_mismatch([kept, first, second], DIGEST) is first


def test_a_breach_says_who_gave_it_and_what_to_do() -> None:
    error = Checksum("0" * 64, "the lock file", LockError, "Lock again.").breach("Asked.", DIGEST)
    assert isinstance(error, LockError)
    assert (error.asked, error.fix) == ("Asked.", "Lock again.")
    assert error.case == f"Its sha256 is {DIGEST[:16]}, but the lock file says {'0' * 16}."
    assert isinstance(Checksum("0" * 64, "the card").breach("Asked.", DIGEST), IntegrityError)


def test_a_file_is_hashed_whole_and_one_that_is_not_there_is_named(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"weights")
    assert sha256_of(path) == DIGEST
    with pytest.raises(CacheError, match="gone can't be verified"):
        sha256_of(tmp_path / "gone")
