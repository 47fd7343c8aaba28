"""The first Ctrl-C ends whatever `zoo` is at, with 130 and without a traceback; closed streams and
pipes hang nothing."""

import os
import signal
import socket
import subprocess
import sys
import threading
from contextlib import contextmanager
from textwrap import dedent

import pytest
from PIL import Image

PATIENCE = 120  # seconds until a process that hangs is killed; none of these comes near it

pytestmark = pytest.mark.skipif(
    sys.platform == "win32", reason="signals and named pipes as POSIX has them"
)


def hear_interrupts():
    """A shell in the background makes its children ignore them."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def start(*words, code=None, **environment):
    command = (
        [sys.executable, "-c", dedent(code)] if code else [sys.executable, "-m", "zoo", *words]
    )
    return subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"OMP_NUM_THREADS": "1"} | environment,
        preexec_fn=hear_interrupts,
    )


def ended(process):
    """Exit code, standard output and standard error."""
    try:
        out, err = process.communicate(timeout=PATIENCE)
    finally:
        process.kill()
    return process.returncode, out, err


@contextmanager
def silent_server():
    """The address of a server that takes requests and never answers, and an event that is set at
    the first one."""
    asked = threading.Event()
    held = []
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()

        def serve():
            while True:
                try:
                    held.append(server.accept()[0])
                except OSError:
                    return
                held[-1].recv(1000)
                asked.set()

        threading.Thread(target=serve, daemon=True).start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}/m.jpg", asked
        server.shutdown(socket.SHUT_RDWR)
    for one in held:
        one.close()


def test_a_pipe_a_socket_and_a_device_are_refused_and_the_rest_goes_on(tmp_path, shell):
    os.mkfifo(tmp_path / "a.jpg")
    (tmp_path / "b.jpg").symlink_to("/dev/zero")
    Image.new("RGB", (40, 30)).save(tmp_path / "c.png")
    answer = shell("detect", str(tmp_path), "--weights", "random")
    assert answer.code == 1
    assert "c.png  40x30" in answer.out
    assert "It is a named pipe, not a regular file." in answer.err
    assert "It is a device, not a regular file." in answer.err


@pytest.mark.slow
@pytest.mark.parametrize("images", [1, 3])
def test_an_interrupt_ends_the_waiting_for_a_server(images):
    with silent_server() as (address, asked):
        process = start(
            "detect",
            *[address] * images,
            "--weights",
            "random",
            ZOO_TIMEOUT="600",
            ZOO_IMAGE_SECONDS="600",
        )
        assert asked.wait(PATIENCE)
        process.send_signal(signal.SIGINT)
        assert ended(process) == (130, "", f"{WARNING}Interrupted.\n")


WARNING = "Warning: yolox_nano has random weights: what it sees means nothing.\n"


@pytest.mark.slow
def test_a_program_ends_though_its_reading_threads_hang():
    code = """
        import sys, zoo
        model = zoo.load("yolox_nano", weights=False)
        try:
            model.detect([ADDRESS] * 3, threads=2)
        except KeyboardInterrupt:
            print("interrupted")
    """
    with silent_server() as (address, asked):
        process = start(
            code=code.replace("ADDRESS", repr(address)), ZOO_TIMEOUT="600", ZOO_IMAGE_SECONDS="600"
        )
        assert asked.wait(PATIENCE)
        process.send_signal(signal.SIGINT)
        assert ended(process)[:2] == (0, "interrupted\n")


@pytest.mark.slow
def test_an_interrupt_says_what_is_kept_and_that_the_same_command_goes_on(nano, data, tmp_path):
    code = """
        import os, signal, sys
        from zoo.evaluate.predictions import prediction_store
        from zoo.evaluate.predictions.prediction_store import PredictionStore
        prediction_store.SECONDS = 0.0
        flush = PredictionStore.flush
        def interrupted(store):
            flush(store)
            if len(store.done()) == 2:
                PredictionStore.flush = flush
                os.kill(os.getpid(), signal.SIGINT)
        PredictionStore.flush = interrupted
        from zoo.cli import main
        sys.argv = ["zoo", *WORDS]
        main()
    """
    words = ["predict", "yolox_nano", "--weights", nano, "--data", data, "--to", str(tmp_path)]
    words += ["--batch-size", "1"]
    code, out, err = ended(start(code=code.replace("WORDS", repr(words))))
    [parts] = tmp_path.glob("*.parts")
    assert (code, out) == (130, "")
    assert err.splitlines()[-2:] == [
        "Interrupted.",
        f"yolox_nano on street: 2 images of 6 are kept in {parts}. "
        f"The same command goes on from there.",
    ]
    assert ended(start(*words))[0] == 0


@pytest.mark.slow
def test_an_interrupt_ends_a_source_that_blocks():
    code = """
        import sys, time, zoo
        model = zoo.load("yolox_nano", weights=False)
        def frames():
            print("pulled", flush=True)
            time.sleep(600)
            yield None
        list(model.detect_stream(frames()))
    """
    process = start(code=code)
    assert process.stdout.readline() == "pulled\n"
    process.send_signal(signal.SIGINT)
    code, _, err = ended(process)
    assert code in (-signal.SIGINT, 130)
    assert err.strip().endswith("KeyboardInterrupt")


@pytest.mark.slow
def test_what_does_not_hear_an_interrupt_is_ended_as_well():
    code = """
        import sys, time
        import zoo.cli.app as app
        def deaf(arguments):
            print("begun", flush=True)
            while True:
                try:
                    time.sleep(600)
                except KeyboardInterrupt:
                    pass
        app._run = deaf
        from zoo.cli import main
        sys.argv = ["zoo", "detect"]
        main()
    """
    process = start(code=code)
    assert process.stdout.readline() == "begun\n"
    process.send_signal(signal.SIGINT)
    assert ended(process) == (130, "", "Interrupted.\n")


@pytest.mark.slow
def test_an_interrupt_while_the_command_line_is_imported_shows_no_traceback():
    code = """
        import os, signal, sys
        from zoo.cli import main
        class Interrupting:
            def find_spec(self, name, *_):
                if name == MODULE:
                    os.kill(os.getpid(), signal.SIGINT)
        sys.meta_path.insert(0, Interrupting())
        sys.argv = ["zoo", "detect", "m.jpg"]
        main()
    """
    for module in ("zoo.cli.app", "typer", "zoo.cli.detect_run", "torch", "PIL.Image"):
        assert (module, *ended(start(code=code.replace("MODULE", repr(module))))) == (
            module,
            130,
            "",
            "Interrupted.\n",
        )


@pytest.mark.parametrize(
    "words",
    [["list"], ["show", "yolox_nano"], ["--help"], ["detect", "--help"], ["list", "--json"]],
)
def test_closed_standard_streams_are_no_traceback(words):
    command = f"{sys.executable} -m zoo {' '.join(words)}"
    assert (
        subprocess.run(f"{command} >&-", shell=True, stderr=subprocess.PIPE, text=True).stderr == ""
    )
    assert subprocess.run(f"{command} <&- >&- 2>&-", shell=True).returncode == 0


def test_no_file_takes_the_place_of_a_closed_stream(tmp_path):
    Image.new("RGB", (40, 30)).save(tmp_path / "c.png")
    out = tmp_path / "out.json"
    command = f"{sys.executable} -m zoo detect {tmp_path}/c.png --weights random --json {out} >&-"
    done = subprocess.run(command, shell=True, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 0
    assert out.read_text().startswith("[\n{")
