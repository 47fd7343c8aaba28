"""What code of a plugin does beside its work is contained as far as one process can, and remarked
on; what it prints goes to standard error."""

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from tests.registry.contained import WHOSE, alone, remarks_on, say
from zoo.registry.plugin_calls import contain
from zoo.registry.plugin_messages import Conduct, Interrupted
from zoo.registry.plugins import complaints, find_plugins
from zoo.registry.registry_file import CORE, registry_file_of

Give = Callable[..., None]
EMPTY = registry_file_of({"schema": 2}, Path("registry.yaml"), owner=CORE)


def test_well_behaved_code_is_not_remarked_on() -> None:
    assert remarks_on(lambda: sum(range(10))) == []


def test_importing_the_libraries_of_the_field_is_not_remarked_on() -> None:
    code = """if True:
        import sys
        from zoo.registry.plugin_messages import Conduct
        from zoo.registry.plugin_calls import contain
        conduct = Conduct("plugin", "at import")
        with contain(conduct):
            import logging, numpy, PIL.Image, PIL.ImageFile, torch, torchvision
        sys.exit(str(conduct.remarks) if conduct.remarks else 0)
    """
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_what_is_printed_goes_to_standard_error_and_is_told_once(
    capsys: pytest.CaptureFixture[str],
) -> None:
    remarks = remarks_on(
        lambda: [say("chatty 1.0 ready"), say("again"), sys.stdout.buffer.write(b"bytes\n")]
    )
    out, err = capsys.readouterr()
    assert (out, err) == ("", "chatty 1.0 ready\nagain\nbytes\n")
    assert remarks == ["prints at import; that goes to standard error: 'chatty 1.0 ready'"]


def test_what_a_child_process_or_a_library_writes_goes_to_standard_error_too() -> None:
    done = alone("""
        import os, subprocess
        def do():
            os.write(1, b"beneath Python\\n")
            subprocess.run(["echo", "a child"], check=True)
    """)
    assert done.stderr == "beneath Python\na child\n"
    assert (
        done.stdout == "prints at import; that goes to standard error: 'beneath Python a child'\n"
    )


def test_other_threads_go_on_writing_to_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    go, gone = threading.Event(), threading.Event()

    def other() -> None:
        go.wait()
        say("a result")
        gone.set()

    thread = threading.Thread(target=other)
    thread.start()
    assert remarks_on(lambda: [go.set(), gone.wait()]) == []
    thread.join()
    assert capsys.readouterr().out == "a result\n"


CLOSING: dict[str, Callable[[], object]] = {
    "closed": lambda: sys.stdout.close(),
    "the other one closed": lambda: sys.__stdout__ and sys.__stdout__.close(),
    "replaced": lambda: setattr(sys, "stdout", None),
    "its descriptor closed": lambda: os.close(1),
}


@pytest.mark.parametrize("how", CLOSING)
def test_standard_output_stays_open(how: str, capfd: pytest.CaptureFixture[str]) -> None:
    base = sys.__stdout__
    remarks = remarks_on(CLOSING[how])
    say("still there")
    assert capfd.readouterr().out == "still there\n"
    assert sys.__stdout__ is base
    assert base is not None
    assert not base.closed
    assert remarks == ["closes or replaces a standard stream at import; that is undone."]


@pytest.mark.parametrize(
    "how",
    ["sys.stderr.close()", "os.close(2)", "sys.stderr = None", "sys.__stderr__.close(); 1 / 0"],
)
def test_standard_error_stays_open(how: str) -> None:
    code = f"""if True:
        import contextlib, os, sys
        from zoo.registry.plugin_messages import Conduct
        from zoo.registry.plugin_calls import contain
        conduct = Conduct("plugin", "at import")
        with contextlib.suppress(ZeroDivisionError), contain(conduct):
            {how}
        sys.stderr.write("still there ")
        sys.__stderr__.write(*conduct.remarks)
    """
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (
        done.stderr == "still there closes or replaces a standard stream at import; that is undone."
    )
    assert done.returncode == 0


def test_a_question_at_import_has_no_answer() -> None:
    done = alone("def do(): input('name? ')")
    assert done.returncode == 1
    assert done.stderr.endswith("EOFError: EOF when reading a line\n")


def test_everything_is_put_back_where_the_work_fails() -> None:
    conduct = Conduct(WHOSE, "at import")
    with suppress(ZeroDivisionError), contain(conduct):
        os.environ["ZOO_TRACEBACK"] = "1"
        say(str(1 / 0))
    assert "ZOO_TRACEBACK" not in os.environ
    assert conduct.remarks == [
        "changes ZOO_TRACEBACK in the environment at import; that is undone."
    ]


def test_a_plugin_is_remarked_on_and_works(
    give_plugin: Give, capsys: pytest.CaptureFixture[str]
) -> None:
    give_plugin(
        "acme", "print('acme ready')\nimport os\nos.environ['HF_HOME'] = '/nowhere'", version="2.5"
    )
    [plugin] = [one for one in find_plugins(EMPTY) if one.info.name == "acme"]
    assert plugin.info.status == "loaded"
    assert list(complaints([plugin]))[:2] == [
        "The plugin 'acme' of detzoo-acme 2.5 prints at import; that goes to standard error: "
        "'acme ready'",
        "The plugin 'acme' of detzoo-acme 2.5 changes HF_HOME in the environment while it loads; "
        "that is undone.",
    ]
    assert capsys.readouterr().out == ""


def test_an_interrupt_names_the_plugin(give_plugin: Give) -> None:
    give_plugin("acme", "raise KeyboardInterrupt")
    with pytest.raises(Interrupted, match=r"in the plugin 'acme' of detzoo-acme 1\.0, at import"):
        find_plugins(EMPTY)


DIVERTED = """
import os, sys
from zoo.registry.plugin_calls import divert_output
told, closed = [], []
ours = lambda: {concerns}
with divert_output(concerns=ours, on_print=told.append, on_close=lambda: closed.append(1)):
    {inside}
print("answer", [text.strip() for text in told if text.strip()], bool(closed), flush=True)
"""


def diverted(inside: str, concerns: bool = True) -> tuple[str, str]:
    code = DIVERTED.format(inside=inside, concerns=concerns)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout, done.stderr


def test_print_goes_to_standard_error_and_is_told() -> None:
    assert diverted("print('hello')") == ("answer ['hello'] False\n", "hello\n")


def test_what_is_written_beneath_python_goes_there_too() -> None:
    assert diverted("os.write(1, b'raw\\n')") == ("answer ['raw'] False\n", "raw\n")


def test_other_threads_print_as_before() -> None:
    out, _ = diverted("print('mine', flush=True)", concerns=False)
    assert "answer [] False" in out or "answer ['mine'] False" in out


def test_standard_output_is_open_again_whatever_is_closed_or_replaced() -> None:
    for inside in ("sys.stdout.close()", "sys.stdout = None", "os.close(1)"):
        assert diverted(inside)[0] == "answer [] True\n"


def test_nothing_can_be_asked() -> None:
    assert diverted("told.append(repr(sys.stdin.read()))")[0] == "answer [\"''\"] False\n"
