"""Describes a plugin's side effects and exceptions in messages."""

from __future__ import annotations

from dataclasses import dataclass, field

from zoo.printable import printable

MAX_REMARKS = 10  # remarks on one plugin
MAX_OUTPUT_SHOWN = 60  # characters of what was printed


class PluginWarning(UserWarning):
    """A plugin was left out; the text names it, its distribution and version, and the reason."""


class HardExit(SystemExit):
    """A plugin called `os._exit`, which would have ended the process without a message."""


class Interrupted(KeyboardInterrupt):
    """The user interrupted a plugin's code; the text names the plugin."""


@dataclass(eq=False)
class Conduct:
    """Side effects of a plugin's code.

    whose:  the plugin, as messages name it.
    stage:  when, as in `at import`; changes as the plugin runs.
    advice: what to do if it never ends.
    """

    whose: str
    stage: str
    advice: str = "To see which plugin takes for ever: zoo plugins --isolated"
    remarks: list[str] = field(default_factory=list)

    def tell(self, side_effect: str, consequence: str) -> None:
        """Adds a remark unless it is there already, ten at most."""
        remark = f"{side_effect} {self.stage}; {consequence}"
        if remark not in self.remarks and len(self.remarks) < MAX_REMARKS:
            self.remarks.append(remark)

    def note_output(self, text: str) -> None:
        """Remarks that it wrote to standard output, the first time."""
        if not any(remark.startswith("prints") for remark in self.remarks):
            self.tell(
                "prints",
                f"that goes to standard error: {' '.join(text.split())[:MAX_OUTPUT_SHOWN]!r}",
            )

    def note_closed_stream(self) -> None:
        """Remarks that it closed or replaced standard output or error."""
        self.tell("closes or replaces a standard stream", "that is undone.")

    def interrupt_error(self) -> Interrupted:
        """The interrupt to raise in place of one that came while the plugin ran."""
        return Interrupted(f"Interrupted in the {self.whose}, {self.stage}. {self.advice}")


def exit_of(error: BaseException) -> str:
    """The call by which a plugin tried to end the process: `sys.exit(0)`, `os._exit(0)`."""
    name = "os._exit" if isinstance(error, HardExit) else "sys.exit"
    return f"{name}({getattr(error, 'code', None)!r:.40})"


def describe_exception(error: BaseException) -> str:
    """An exception of a plugin in one line: how it tried to leave, or type and text."""
    if isinstance(error, SystemExit):
        return f"called {exit_of(error)}"
    try:
        text = printable(" ".join(str(error).split()), limit=300)
    except Exception:  # its own __str__ may be at fault
        text = ""
    return f"raised {type(error).__name__}{f': {text}' if text else ''}"
