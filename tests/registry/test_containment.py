"""What code of a plugin does beside its work is contained as far as one process can, and remarked
on."""

import builtins
import os
import signal
import subprocess
import sys
import textwrap
import threading
import warnings
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from zoo.registry.containment import Conduct, HardExit, Interrupted, left_running, said, watched
from zoo.registry.plugins import complaints, find_plugins
from zoo.registry.registry_file import CORE, registry_file_of

Give = Callable[..., None]
EMPTY = registry_file_of({"schema": 2}, Path("registry.yaml"), owner=CORE)
WHOSE = "plugin 'acme' of detzoo-acme 1.0"


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def seen(work: Callable[[], object]) -> list[str]:
    """The remarks on some work that a plugin does when it is imported."""
    conduct = Conduct(WHOSE, "at import")
    with watched(conduct):
        work()
    return conduct.remarks


def test_well_behaved_code_is_not_remarked_on() -> None:
    assert seen(lambda: sum(range(10))) == []


def test_importing_the_libraries_of_the_field_is_not_remarked_on() -> None:
    code = """if True:
        import sys
        from zoo.registry.containment import Conduct, watched
        conduct = Conduct("plugin", "at import")
        with watched(conduct):
            import logging, numpy, PIL.Image, PIL.ImageFile, torch, torchvision
        sys.exit(str(conduct.remarks) if conduct.remarks else 0)
    """
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_what_is_printed_goes_to_standard_error_and_is_told_once(
    capsys: pytest.CaptureFixture[str],
) -> None:
    remarks = seen(
        lambda: [say("chatty 1.0 ready"), say("again"), sys.stdout.buffer.write(b"bytes\n")]
    )
    out, err = capsys.readouterr()
    assert (out, err) == ("", "chatty 1.0 ready\nagain\nbytes\n")
    assert remarks == ["prints at import; that goes to standard error: 'chatty 1.0 ready'"]


def alone(code: str) -> "subprocess.CompletedProcess[str]":
    """What a process of its own makes of `do` in the code: descriptors, standard input and forks
    are for a process without other tests' threads."""
    watch = """
from zoo.registry.containment import Conduct, watched
conduct = Conduct("plugin 'chatty' of detzoo-chatty 1.0", "at import")
with watched(conduct):
    do()
print(*conduct.remarks, sep="\\n")
"""
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code) + watch],
        input="an answer\n",
        capture_output=True,
        text=True,
    )


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
    assert seen(lambda: [go.set(), gone.wait()]) == []
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
    remarks = seen(CLOSING[how])
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
        from zoo.registry.containment import Conduct, watched
        conduct = Conduct("plugin", "at import")
        with contextlib.suppress(ZeroDivisionError), watched(conduct):
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


@pytest.mark.parametrize("code", [0, 3])
def test_an_exit_without_a_word_is_an_exception(code: int) -> None:
    real = os._exit
    with pytest.raises(HardExit) as caught, watched(Conduct(WHOSE, "at import")):
        os._exit(code)
    assert said(caught.value) == f"called os._exit({code})"
    assert os._exit is real


def test_a_child_process_may_exit() -> None:
    done = alone("""
        import os
        def do():
            child = os.fork()
            if not child:
                os._exit(7)
            assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
    """)
    assert (done.stdout, done.stderr, done.returncode) == ("\n", "", 0)


def test_a_thread_that_would_keep_the_process_is_named() -> None:
    end = threading.Event()
    remarks = seen(lambda: threading.Thread(target=end.wait, name="busy").start())
    assert remarks == ["leaves the thread 'busy' running at import; no command waits for it."]
    [(whose, thread)] = left_running()
    assert (whose, thread.name) == (WHOSE, "busy")
    end.set()
    thread.join()
    assert left_running() == []


def test_a_thread_that_its_own_thread_has_left_is_named() -> None:
    end = threading.Event()

    def start_another() -> None:
        threading.Thread(target=end.wait, name="deep").start()

    def import_it() -> None:
        first = threading.Thread(target=start_another)
        first.start()
        first.join()

    assert seen(import_it) == [
        "leaves the thread 'deep' running at import; no command waits for it."
    ]
    end.set()


def test_a_thread_of_the_program_around_is_not_taken_for_the_plugin_s() -> None:
    begin, begun, end = threading.Event(), threading.Event(), threading.Event()

    def start_later() -> None:
        begin.wait()
        threading.Thread(target=end.wait, name="of the program").start()
        begun.set()

    program = threading.Thread(target=start_later)
    program.start()

    def import_it() -> None:
        begin.set()
        begun.wait()

    assert seen(import_it) == []
    end.set()
    program.join()


def test_a_thread_that_ends_with_the_process_is_nobodys_concern() -> None:
    end = threading.Event()
    assert seen(lambda: threading.Thread(target=end.wait, daemon=True).start()) == []
    end.set()


CHANGES: dict[str, tuple[Callable[[], object], Callable[[], object]]] = {
    "builtins.print": (lambda: setattr(builtins, "print", None), lambda: builtins.print),
    "sys.excepthook": (lambda: setattr(sys, "excepthook", None), lambda: sys.excepthook),
    "PIL.Image.open": (
        lambda: setattr(sys.modules["PIL.Image"], "open", None),
        lambda: sys.modules["PIL.Image"].open,
    ),
    "PIL.ImageFile.LOAD_TRUNCATED_IMAGES": (
        lambda: setattr(sys.modules["PIL.ImageFile"], "LOAD_TRUNCATED_IMAGES", True),
        lambda: sys.modules["PIL.ImageFile"].LOAD_TRUNCATED_IMAGES,
    ),
    "torch.load": (
        lambda: setattr(sys.modules["torch"], "load", None),
        lambda: sys.modules["torch"].load,
    ),
    "whether torch records gradients": (
        lambda: sys.modules["torch"].set_grad_enabled(False),
        lambda: sys.modules["torch"].is_grad_enabled(),
    ),
    "HF_HOME in the environment": (
        lambda: os.environ.update(HF_HOME="/nowhere"),
        lambda: os.environ["HF_HOME"],
    ),
    "ZOO_TRACEBACK in the environment": (
        lambda: os.environ.update(ZOO_TRACEBACK="1"),
        lambda: os.environ.get("ZOO_TRACEBACK"),
    ),
    "the working folder": (lambda: os.chdir("/"), os.getcwd),
    "what becomes of warnings": (
        lambda: warnings.simplefilter("ignore"),
        lambda: list(warnings.filters),
    ),
    "what signals do": (
        lambda: signal.signal(signal.SIGINT, signal.SIG_IGN),
        lambda: signal.getsignal(signal.SIGINT),
    ),
}


@pytest.mark.parametrize("place", CHANGES)
def test_what_belongs_to_everybody_is_put_back(
    place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import PIL.ImageFile
    import torch  # noqa: F401 - so that there is something to change

    monkeypatch.chdir(tmp_path)
    change, read = CHANGES[place]
    before = read()
    assert seen(change) == [f"changes {place} at import; that is undone."]
    assert read() == before
    assert not PIL.ImageFile.LOAD_TRUNCATED_IMAGES


def test_a_filter_for_one_message_is_a_librarys_own_affair() -> None:
    with warnings.catch_warnings():
        assert seen(lambda: warnings.filterwarnings("ignore", "a message", UserWarning)) == []


def test_a_patch_of_what_the_plugin_itself_imports_first_is_named() -> None:
    code = """if True:
        import sys
        from zoo.registry.containment import Conduct, watched
        conduct = Conduct("plugin", "at import")
        with watched(conduct):
            import functools, PIL.Image
            real = PIL.Image.open
            @functools.wraps(real)
            def mine(*arguments, **options):
                return real(*arguments, **options)
            PIL.Image.open = mine
            PIL.Image.MAX_IMAGE_PIXELS = None
        print(*conduct.remarks, sep="\\n")
    """
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.splitlines() == [
        "changes PIL.Image.MAX_IMAGE_PIXELS at import; that is undone.",
        "changes PIL.Image.open at import; that can't be undone in this process.",
    ], done.stderr


def test_what_fails_at_exit_is_named_and_fails_nothing() -> None:
    code = """if True:
        import atexit, os
        from zoo.registry.containment import Conduct, watched
        with watched(Conduct("plugin 'acme' of detzoo-acme 1.0", "at import")):
            atexit.register(lambda: 1 / 0)
            atexit.register(os._exit, 9)
    """
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0
    assert done.stderr.splitlines() == [
        f"Warning: The {WHOSE} called os._exit(9) at exit.",
        f"Warning: The {WHOSE} raised ZeroDivisionError: division by zero at exit.",
    ]


def test_what_is_registered_for_exit_can_be_taken_back() -> None:
    code = """if True:
        import atexit, os
        from zoo.registry.containment import Conduct, watched
        with watched(Conduct("plugin", "at import")):
            atexit.register(os.write, 2, b"still registered")
        atexit.unregister(os.write)
    """
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_everything_is_put_back_where_the_work_fails() -> None:
    conduct = Conduct(WHOSE, "at import")
    with suppress(ZeroDivisionError), watched(conduct):
        os.environ["ZOO_TRACEBACK"] = "1"
        say(str(1 / 0))
    assert "ZOO_TRACEBACK" not in os.environ
    assert conduct.remarks == [
        "changes ZOO_TRACEBACK in the environment at import; that is undone."
    ]


def test_an_exception_that_can_not_be_printed_has_a_name() -> None:
    class Mute(Exception):
        def __str__(self) -> str:
            raise ValueError

    assert said(Mute()) == "raised Mute"


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
