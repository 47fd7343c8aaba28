"""An RTSP server on a free port of this machine, whose packets are made by FFmpeg: it sends its
frames and says goodbye, or dies, or falls silent in the middle."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import BinaryIO, Literal

import av
import numpy as np

Ending = Literal["goodbye", "death", "silence"]
Send = Callable[[bytes], object]
SDP = (
    "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=street\r\nt=0 0\r\n"
    "m=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=control:video\r\n"
)
SENDER_REPORTS = range(200, 205)  # packets of RTCP, which go to the odd channel or port


class _Packets(list[bytes]):
    """What a muxer writes, piece by piece."""

    def write(self, packet: bytes) -> int:
        self.append(bytes(packet))
        return len(packet)


def packets_of(images: Sequence[np.ndarray], *, goodbye: bool, **options: str) -> list[bytes]:
    """Images at 25 frames a second as packets of RTP with H.264, and RTCP's goodbye at the end."""
    packets = _Packets()
    form = {"packetsize": "1400"} | ({"rtpflags": "send_bye"} if goodbye else {})
    with av.open(packets, "w", format="rtp", options=form) as container:
        stream = container.add_stream("libx264", rate=25, options=options)
        stream.height, stream.width, stream.pix_fmt = *images[0].shape[:2], "yuv420p"
        for image in images:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        container.mux(stream.encode(None))
    return list(packets)


class Street:
    """Answers whoever asks for `url`, each on a thread of its own.

    ending: what it does after its packets: says goodbye, closes the connection, or nothing.
    over_udp: whether it sends by UDP alone, as some cameras do.
    transports: what was asked for so far.
    """

    def __init__(self, packets: Sequence[bytes], *, ending: Ending, over_udp: bool) -> None:
        self._packets = packets
        self._ending = ending
        self._over_udp = over_udp
        self.transports: list[str] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"rtsp://127.0.0.1:{self._listener.getsockname()[1]}/street"
        self._sockets = [self._listener]
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def close(self) -> None:
        """Ends every connection and thread."""
        for opened in self._sockets:
            with suppress(OSError):
                opened.shutdown(socket.SHUT_RDWR)
            opened.close()
        for thread in self._threads:
            thread.join(10)

    def _accept(self) -> None:
        with suppress(OSError):  # once it is closed
            while True:
                connection, _ = self._listener.accept()
                self._sockets.append(connection)
                self._threads.append(threading.Thread(target=self._serve, args=(connection,)))
                self._threads[-1].start()

    def _serve(self, connection: socket.socket) -> None:
        ways: list[Send] = []
        with suppress(OSError), connection, connection.makefile("rb") as asked:
            for method, headers in requests(asked):
                said = [f"CSeq: {headers['cseq']}", "Session: 1"]
                status, body = "200 OK", ""
                if method == "DESCRIBE":
                    body = SDP
                    said += ["Content-Type: application/sdp", f"Content-Length: {len(body)}"]
                elif method == "SETUP" and (way := self._way(connection, headers["transport"])):
                    ways.append(way[0])
                    said.append(f"Transport: {way[1]}")
                elif method == "SETUP":
                    status = "461 Unsupported Transport"
                head = "\r\n".join((f"RTSP/1.0 {status}", *said))
                connection.sendall(f"{head}\r\n\r\n{body}".encode())
                if method == "PLAY" and self._play(ways[0]) == "death":
                    return

    def _way(self, connection: socket.socket, transport: str) -> tuple[Send, str] | None:
        """How packets are sent, and the answer that says it; None where that is refused."""
        self.transports.append(transport)
        if not self._over_udp:
            return lambda packet: connection.sendall(interleaved(packet)), transport
        if not (port := re.search(r"client_port=(\d+)", transport)):
            return None
        sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sender.bind(("127.0.0.1", 0))
        self._sockets.append(sender)
        first, ours = int(port[1]), sender.getsockname()[1]
        return (
            lambda packet: sender.sendto(packet, ("127.0.0.1", first + is_report(packet))),
            f"{transport};server_port={ours}-{ours + 1}",
        )

    def _play(self, send: Send) -> Ending:
        for packet in self._packets:
            send(packet)
        return self._ending


def requests(asked: BinaryIO) -> Iterator[tuple[str, dict[str, str]]]:
    """Method and headers of each request; reports of whoever receives are passed over."""
    while first := asked.read(1):
        if first == b"$":
            asked.read(int.from_bytes(asked.read(3)[1:], "big"))
            continue
        method = (first + asked.readline()).decode().split()[0]
        headers = {}
        while line := asked.readline().decode().strip():
            name, _, value = line.partition(": ")
            headers[name.lower()] = value
        yield method, headers


def interleaved(packet: bytes) -> bytes:
    """A packet between the answers of the same connection, RFC 2326 10.12."""
    return b"$" + bytes([is_report(packet)]) + len(packet).to_bytes(2, "big") + packet


def is_report(packet: bytes) -> bool:
    """Whether it is of RTCP."""
    return packet[1] in SENDER_REPORTS


@contextmanager
def street(
    images: Sequence[np.ndarray],
    *,
    ending: Ending = "goodbye",
    over_udp: bool = False,
    **options: str,
) -> Iterator[Street]:
    """A server with these frames; `options` are x264's."""
    packets = packets_of(images, goodbye=ending == "goodbye", **options)
    server = Street(packets, ending=ending, over_udp=over_udp)
    try:
        yield server
    finally:
        server.close()
