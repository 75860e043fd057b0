"""Small servers that speak to a scanner's clients as they are told: well, slowly, wrongly, or not to the end."""

import socket
import threading
from collections.abc import Callable
from contextlib import contextmanager

Script = Callable[[socket.socket], None]


@contextmanager
def speaker(script: Script):
    """Serve connections, one after another, each by the script; gives the port."""
    listening = socket.create_server(("127.0.0.1", 0))
    failures: list[BaseException] = []

    def serve() -> None:
        while True:
            try:
                line, _ = listening.accept()
            except OSError:
                return
            with line:
                line.settimeout(20)
                try:
                    script(line)
                except OSError:
                    continue  # the other side has hung up
                except BaseException as error:  # noqa: BLE001 - told when the test is over
                    failures.append(error)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield listening.getsockname()[1]
    finally:
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        thread.join(timeout=20)
    assert not failures, failures


class Icap:
    """An ICAP server that answers RESPMOD by what it finds in the body; ``heard`` are the bodies that came whole."""

    def __init__(self, answer: Callable[[bytes], bytes], *, options: bytes | None = None) -> None:
        self._answer = answer
        self._options = options or b"ICAP/1.0 200 OK\r\nMethods: RESPMOD\r\nService: Test ICAP 1\r\n\r\n"
        self.heard: list[bytes] = []
        self.heads: list[bytes] = []

    def __call__(self, line: socket.socket) -> None:
        stream = line.makefile("rb")
        head = self._read_head(stream)
        self.heads.append(head)
        if head.startswith(b"OPTIONS"):
            line.sendall(self._options)
            return
        self._read_head(stream)
        self._read_head(stream)
        body = b""
        while size := int(stream.readline().strip(), 16):
            body += stream.read(size)
            assert stream.readline() == b"\r\n"
        assert stream.readline() == b"\r\n"
        self.heard.append(body)
        line.sendall(self._answer(body))

    def _read_head(self, stream) -> bytes:
        head = b""
        while (one := stream.readline()) not in (b"\r\n", b""):
            head += one
        return head
