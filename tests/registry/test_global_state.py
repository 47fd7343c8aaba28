"""Places that belong to everybody are looked at, and put back; threads and exits are watched."""

import builtins
import locale
import os
import signal
import subprocess
import sys
import threading
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.registry.contained import WHOSE, alone, remarks_on
from zoo.registry.global_state import PLACES, put_back, snapshot
from zoo.registry.plugin_calls import contain, left_running
from zoo.registry.plugin_messages import Conduct, HardExit, describe_exception


def test_nothing_is_told_if_nothing_changes() -> None:
    assert list(put_back(snapshot())) == []


def test_variables_and_the_working_folder_are_put_back(tmp_path: Path) -> None:
    folder = os.getcwd()
    before = snapshot()
    os.environ["ZOO_TEST_OF_TAMPERING"] = "1"
    os.chdir(tmp_path)
    told = dict(put_back(before))
    assert told == {
        "ZOO_TEST_OF_TAMPERING in the environment": True,
        "the working folder": True,
    }
    assert "ZOO_TEST_OF_TAMPERING" not in os.environ
    assert os.getcwd() == folder


def test_other_variables_are_nobodys_business(monkeypatch: pytest.MonkeyPatch) -> None:
    before = snapshot()
    monkeypatch.setenv("SOMETHING_ELSE", "1")
    assert list(put_back(before)) == []


def test_signals_are_put_back() -> None:
    before = snapshot()
    given = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    assert ("what signals do", True) in list(put_back(before))
    assert signal.getsignal(signal.SIGTERM) == given


def test_places_are_named() -> None:
    modules = {place.module for place in PLACES}
    assert {"os", "signal", warnings.__name__, locale.__name__, "torch"} <= modules


@pytest.mark.parametrize("code", [0, 3])
def test_an_exit_without_a_word_is_an_exception(code: int) -> None:
    real = os._exit
    with pytest.raises(HardExit) as caught, contain(Conduct(WHOSE, "at import")):
        os._exit(code)
    assert describe_exception(caught.value) == f"called os._exit({code})"
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
    remarks = remarks_on(lambda: threading.Thread(target=end.wait, name="busy").start())
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

    assert remarks_on(import_it) == [
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

    assert remarks_on(import_it) == []
    end.set()
    program.join()


def test_a_thread_that_ends_with_the_process_is_nobodys_concern() -> None:
    end = threading.Event()
    assert remarks_on(lambda: threading.Thread(target=end.wait, daemon=True).start()) == []
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
    assert remarks_on(change) == [f"changes {place} at import; that is undone."]
    assert read() == before
    assert not PIL.ImageFile.LOAD_TRUNCATED_IMAGES


def test_a_filter_for_one_message_is_a_librarys_own_affair() -> None:
    with warnings.catch_warnings():
        assert remarks_on(lambda: warnings.filterwarnings("ignore", "a message", UserWarning)) == []


def test_a_patch_of_what_the_plugin_itself_imports_first_is_named() -> None:
    code = """if True:
        import sys
        from zoo.registry.plugin_messages import Conduct
        from zoo.registry.plugin_calls import contain
        conduct = Conduct("plugin", "at import")
        with contain(conduct):
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
        from zoo.registry.plugin_messages import Conduct
        from zoo.registry.plugin_calls import contain
        with contain(Conduct("plugin 'acme' of detzoo-acme 1.0", "at import")):
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
        from zoo.registry.plugin_messages import Conduct
        from zoo.registry.plugin_calls import contain
        with contain(Conduct("plugin", "at import")):
            atexit.register(os.write, 2, b"still registered")
        atexit.unregister(os.write)
    """
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
