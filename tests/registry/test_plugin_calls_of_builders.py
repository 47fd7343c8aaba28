"""Builders at work: what they do beside it is contained, named once, and kept off the network where
that is switched off."""

import gc
import inspect
import socket
import sys
import threading
import urllib.request
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from zoo.errors import ContractError, OfflineError, PluginError
from zoo.registry import PluginWarning
from zoo.registry.plugin_calls import at_call, at_work
from zoo.registry.plugin_messages import Interrupted
from zoo.registry.plugins import PluginInfo, find_plugins
from zoo.registry.registry_file import CORE, registry_file_of

Give = Callable[..., None]
EMPTY = registry_file_of({"schema": 2}, Path("registry.yaml"), owner=CORE)


@pytest.fixture
def acme(tmp_path: Path) -> PluginInfo:
    """A plugin with a name that no other test has warned of."""
    return PluginInfo(tmp_path.name, "detzoo-acme", "2.5", "detzoo_acme", "loaded")


def built(info: PluginInfo, build: Callable[..., object]) -> object:
    return at_call(info, "when it builds 'net'", build)()


def test_a_watched_builder_is_inspected_like_the_one_that_was_registered(acme: PluginInfo) -> None:
    def build(*, label_space: str, width: int = 8) -> str:
        """Builds."""
        return f"{label_space} {width}"

    call = at_call(acme, "when it builds", build)
    assert inspect.signature(call) == inspect.signature(build)
    assert (call.__name__, call.__doc__, call.__module__) == ("build", "Builds.", __name__)
    assert call(label_space="two", width=3) == "two 3"


def test_what_a_builder_prints_goes_to_standard_error_and_is_warned_of_once(
    acme: PluginInfo, capsys: pytest.CaptureFixture[str], recwarn: pytest.WarningsRecorder
) -> None:
    def build() -> int:
        return sys.stdout.write("hello\n")

    with pytest.warns(
        PluginWarning,
        match=r"of detzoo-acme 2\.5 prints when it builds 'net'; that goes to standard error",
    ):
        assert built(acme, build) == 6
    assert built(acme, build) == 6
    assert len(recwarn) == 0
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    "leave", [lambda: sys.exit(0), lambda: sys.exit("bye"), lambda: __import__("os")._exit(0)]
)
def test_a_builder_that_wants_to_end_the_process_is_a_contract_error(
    acme: PluginInfo, leave: Callable[[], object]
) -> None:
    with pytest.raises(ContractError) as caught:
        built(acme, leave)
    assert "exit(" in caught.value.case
    assert caught.value.fix == "This is a defect of detzoo-acme 2.5: report it there."


def test_other_exceptions_of_a_builder_stay_what_they_are(acme: PluginInfo) -> None:
    with pytest.raises(ZeroDivisionError):
        built(acme, lambda: 1 / 0)
    with pytest.raises(MemoryError):
        built(acme, lambda: bytearray(1 << 62))


def test_an_interrupt_names_whose_builder_it_was(acme: PluginInfo) -> None:
    with (
        pytest.raises(Interrupted, match=r"of detzoo-acme 2\.5, when it builds"),
        at_work(acme, "when it builds 'net'"),
    ):
        raise KeyboardInterrupt


def test_a_builder_in_another_thread_is_contained_too(acme: PluginInfo) -> None:
    said: list[BaseException] = []

    def other() -> None:
        try:
            built(acme, lambda: sys.exit(0))
        except ContractError as error:
            said.append(error)

    with at_work(acme, "when it builds 'net'"):
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
    assert len(said) == 1


@pytest.fixture
def server() -> Iterator[HTTPServer]:
    """A server on this machine that counts who asks."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.server.asked.append(self.path)  # type: ignore[attr-defined]
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nothing is printed."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        server.asked = []  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def ways(port: int) -> dict[str, Callable[[], object]]:
    """Ways to connect to a port of this machine."""

    def datagram() -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.sendto(b"", ("127.0.0.1", port))

    def in_a_thread() -> None:
        thread = threading.Thread(
            target=lambda: socket.create_connection(("127.0.0.1", port), 1).close()
        )
        thread.start()
        thread.join()

    return {
        "a socket": lambda: socket.create_connection(("127.0.0.1", port)).close(),
        "a library": lambda: urllib.request.urlopen(f"http://127.0.0.1:{port}/weights").close(),
        "a datagram": datagram,
        "a name": lambda: socket.getaddrinfo("weights.example", 443),
        "a thread": in_a_thread,
    }


@pytest.mark.filterwarnings("ignore::zoo.registry.PluginWarning", "ignore::ResourceWarning")
@pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnhandledThreadExceptionWarning",
    "ignore::pytest.PytestUnraisableExceptionWarning",
)
@pytest.mark.parametrize("way", list(ways(0)))
@pytest.mark.parametrize("variable", ["ZOO_OFFLINE", "HF_HUB_OFFLINE"])
def test_nothing_is_connected_to_while_the_network_is_switched_off(
    acme: PluginInfo, server: HTTPServer, monkeypatch: pytest.MonkeyPatch, way: str, variable: str
) -> None:
    monkeypatch.setenv(variable, "1")
    connect = ways(server.server_port)[way]
    if way == "a thread":
        built(acme, connect)  # the error is that thread's
    else:
        with pytest.raises(OfflineError) as caught:
            built(acme, connect)
        assert f"'{acme.name}' of detzoo-acme 2.5 wanted to connect to" in caught.value.failure
        assert variable in caught.value.case
        del caught
    gc.collect()  # the socket that was not connected is closed here, and not in another test
    assert server.asked == []  # type: ignore[attr-defined]


@pytest.mark.filterwarnings("ignore::zoo.registry.PluginWarning")
def test_other_threads_connect_as_before_and_so_does_everybody_afterwards(
    acme: PluginInfo, server: HTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ZOO_OFFLINE", "1")
    connect = ways(server.server_port)["a library"]
    go, gone = threading.Event(), threading.Event()
    other = threading.Thread(target=lambda: [go.wait(), connect(), gone.set()])
    other.start()
    with at_work(acme, "when it builds 'net'"):
        go.set()
        gone.wait(10)
    other.join()
    connect()
    assert len(server.asked) == 2  # type: ignore[attr-defined]


def test_with_the_network_a_builder_may_connect(acme: PluginInfo, server: HTTPServer) -> None:
    built(acme, ways(server.server_port)["a library"])
    assert server.asked == ["/weights"]  # type: ignore[attr-defined]


def test_processes_of_this_machine_may_talk(
    acme: PluginInfo, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("ZOO_OFFLINE", "1")
    path = str(tmp_path / "s")
    with socket.socket(socket.AF_UNIX) as listening, socket.socket(socket.AF_UNIX) as calling:
        listening.bind(path)
        listening.listen()
        built(acme, lambda: calling.connect(path))


def test_a_plugin_that_connects_at_import_is_quarantined(
    give_plugin: Give, server: HTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ZOO_OFFLINE", "1")
    give_plugin(
        "acme", f"import socket\nsocket.create_connection(('127.0.0.1', {server.server_port}))"
    )
    [info] = [plugin.info for plugin in find_plugins(EMPTY) if plugin.info.name == "acme"]
    assert info.status == "quarantined"
    assert "ZOO_OFFLINE says that no connection may be opened" in info.reason
    assert any(
        "connects to 127.0.0.1 at import; ZOO_OFFLINE refuses it." in remark
        for remark in info.remarks
    )


def test_a_builder_whose_module_leaves_at_import_is_blamed_on_its_plugin(give_plugin: Give) -> None:
    from zoo.registry import catalogue

    hook = (
        "from zoo import hookimpl\n@hookimpl\ndef register_heads(register):\n    register('net', "
        "'detzoo_acme_net:build')"
    )
    give_plugin("acme", hook)
    give_plugin("other", "import os\nos._exit(0)", module="detzoo_acme_net")
    with (
        pytest.warns(PluginWarning),
        pytest.raises(PluginError, match=r"detzoo-acme 1\.0 builds it .* called os\._exit\(0\)"),
    ):
        catalogue().builder("heads", "acme/net")
