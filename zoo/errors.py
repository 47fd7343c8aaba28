"""Every error the zoo raises on purpose; each says what failed, why, and what to type next.

ZooError                  1   part of the work failed
├── NameNotFound          3   no model, tag, part or label space has that name
├── NameAmbiguous         3   several do
├── UsageError            2   a command's words or a setting can't be meant, or are at odds
├── QueryError            2   a `--where` expression does not parse
├── CardError             4   a card or registry file is invalid: file, line, field
├── PluginError           4   a plugin broke the contract of a hook
├── WeightsError          5   weights can't be had
│   ├── SourceError       5   no source answered with the file
│   ├── OfflineError      5   it would take the network, and that is switched off
│   ├── IntegrityError    5   a file's sha256 is not the promised one
│   ├── CheckpointError   5   a checkpoint is unsafe, broken or does not fit the architecture
│   ├── LockError         5   the lock file says otherwise, or can't be read
│   └── CacheError        5   this machine can't keep or read a file: full disk, read-only folder
├── ImageError            6   an image can't be read or written
│   └── VideoError        6   a clip, camera or stream can't be read, or a clip can't be written
├── LabelError            7   label spaces do not meet
├── ContractError         8   a detector or part broke its contract at run time
├── MissingExtra          9   an optional package is not installed
├── DataError            10   annotations, predictions or a report are invalid: file and record
├── TrainError           11   training can't go on, or can't be resumed
├── PushError            12   a result can't be published
├── ExportError          13   a network can't be exported, or its export does not agree with it
└── ClusterError         14   a cluster can't be reached, is not fit for the work, or fails at it

The number is the exit code of the command line; 0 is success, 2 also a usage mistake, 130 an
interrupt.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from zoo.printable import printable, printable_lines

Part = str | list[str] | tuple[str, ...]


class ZooError(Exception):
    """The root of all of them. Each part is a sentence or two, or several lines of them.

    failure: what failed.
    case:    why.
    fix:     what to type next.
    fix_cli: the same in the words of the command line, where they differ.

    Parts may quote text from outside: what can't be printed is escaped, and a line break in it
    starts no new line.
    """

    exit_code: ClassVar[int] = 1

    def __init__(
        self, failure: Part, case: Part, fix: Part, *, fix_cli: Part | None = None
    ) -> None:
        self.failure = _text(failure)
        self.case = _text(case)
        self.fix = _text(fix)
        self.fix_cli = self.fix if fix_cli is None else _text(fix_cli)
        super().__init__(self.failure, self.case, self.fix)

    def __str__(self) -> str:
        return _joined(self.failure, self.case, self.fix)

    def __reduce__(self) -> tuple[Any, ...]:
        """As it is, whatever a subclass wants to be made with: errors cross processes."""
        return _again, (type(self), self.args, dict(self.__dict__))

    @property
    def in_shell(self) -> str:
        """The message as the command line shows it."""
        return _joined(self.failure, self.case, self.fix_cli)


def made_of(error: BaseException | None) -> Iterator[BaseException]:
    """The error, and those that it was made of; contexts may lead in a circle, and each is given
    once."""
    visited: set[int] = set()
    while error is not None and id(error) not in visited:
        visited.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def _again(kind: type[ZooError], arguments: tuple[Any, ...], held: dict[str, Any]) -> ZooError:
    error = kind.__new__(kind, *arguments)
    error.__dict__.update(held)
    return error


def _text(part: Part) -> str:
    return printable(part) if isinstance(part, str) else printable_lines(part)


def _joined(*parts: str) -> str:
    return "\n".join(part for part in parts if part)


class NameNotFound(ZooError):
    """No model, tag, part, architecture or label space has that name."""

    exit_code = 3


class NameAmbiguous(ZooError):
    """A short name has several owners; the message lists the qualified names."""

    exit_code = 3


class UsageError(ZooError, ValueError):
    """An argument or option can't be used; no work has begun. A `ValueError` too, as Python raises
    for such an argument."""

    exit_code = 2


class QueryError(ZooError):
    """A `--where` expression does not parse or names an unknown field."""

    exit_code = 2


class CardError(ZooError):
    """A card or registry file is invalid; the message names file, line and field."""

    exit_code = 4


class PluginError(ZooError):
    """A plugin broke the contract of a hook; it is quarantined."""

    exit_code = 4


class WeightsError(ZooError):
    """Weights can't be had; the subclasses say why."""

    exit_code = 5


class SourceError(WeightsError):
    """No source answered with the file; the message lists each source with its reason."""


class OfflineError(WeightsError):
    """The file is not on this machine and the network is switched off."""


class IntegrityError(WeightsError):
    """A file's sha256 is not the promised one."""


class CheckpointError(WeightsError):
    """A checkpoint is unsafe, broken, or does not fit the architecture."""


class LockError(WeightsError):
    """The lock file contradicts what was asked, or can't be read."""


class CacheError(WeightsError):
    """This machine can't keep or read a file: the disk is full, or the folder can't be written."""


class ImageError(ZooError):
    """An image can't be read or written; `file` names it."""

    exit_code = 6

    def __init__(
        self,
        failure: Part,
        case: Part,
        fix: Part,
        *,
        fix_cli: Part | None = None,
        file: str | None = None,
    ) -> None:
        super().__init__(failure, case, fix, fix_cli=fix_cli)
        self.file = file


class VideoError(ImageError):
    """A clip, camera or stream can't be read, or a clip can't be written; `file` names it."""


class LabelError(ZooError):
    """Label spaces do not meet, or a label is outside its space."""

    exit_code = 7


class ContractError(ZooError):
    """A detector or part broke its contract at run time (NaN boxes, wrong shapes …)."""

    exit_code = 8


class MissingExtra(ZooError):
    """An optional package is not installed; the fix is the exact `pip install` line."""

    exit_code = 9


class DataError(ZooError):
    """Annotations, predictions or a report are invalid or do not fit together; the message names
    the file and the record."""

    exit_code = 10


class TrainError(ZooError):
    """Training can't go on or can't be resumed: no number, no memory, nothing that is learned, or
    a folder of another run."""

    exit_code = 11


class PushError(ZooError):
    """A result can't be published: the Hub wants a token, refuses it, or can't be reached."""

    exit_code = 12


class ExportError(ZooError):
    """A network can't be exported, or what was exported does not agree with it."""

    exit_code = 13


class ClusterError(ZooError):
    """A cluster can't be reached, its machines do not fit together, or worker after worker ends."""

    exit_code = 14
