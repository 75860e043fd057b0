"""What audit logs are sent to in tests: an HTTPS collector's stand-in and syslog servers, which fail as they are told."""

import re
import socket
import ssl
import struct
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

RESET = struct.pack("ii", 1, 0)
TEST = b"audit.siem.test"


@dataclass
class Collector:
    """Answers POSTs with what is next in ``says``: a status, ``cut`` (read half, break off) or ``slow``; 200 when nothing is."""

    url: str = ""
    bodies: list = field(default_factory=list)
    headers: list = field(default_factory=list)
    says: list = field(default_factory=list)
    says_to_tests: list = field(default_factory=list)
    """The same for messages that are no entries: whatever the log sends meanwhile is another thing."""

    @property
    def entries(self):
        return [msgspec.json.decode(line) for body in self.bodies for line in body.splitlines()]

    @property
    def numbers(self):
        return [entry["number"] for entry in self.entries]


def start_collector():
    it = Collector()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            length = int(self.headers["content-length"])
            body = self.rfile.read(length // 2 if it.says[:1] == ["cut"] else length)
            says = it.says_to_tests if it.says_to_tests and TEST in body else it.says
            said = says.pop(0) if says else 200
            if said == "cut":
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
                self.connection.close()
                return
            if said == "slow":
                time.sleep(3)
                return
            if said == 200:
                it.bodies.append(body)
                it.headers.append({name.lower(): value for name, value in self.headers.items()})
            self.send_response(said)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *args):
            pass

        def handle(self):
            with suppress(OSError, ValueError):
                super().handle()

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    it.url = f"http://127.0.0.1:{server.server_port}/in"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return it, server


@dataclass
class SyslogServer:
    """Reads until the end, unless ``does`` says otherwise: ``cut`` after some bytes, ``reset``, ``silent`` (never ends), ``close``."""

    context: ssl.SSLContext | None = None
    does: list = field(default_factory=list)
    taken: list = field(default_factory=list)
    """What came whole, connection by connection."""
    port: int = 0

    def __post_init__(self):
        self._listener = socket.create_server(("127.0.0.1", self.port))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    @property
    def url(self):
        return f"syslog+{'tls' if self.context else 'tcp'}://127.0.0.1:{self.port}"

    @property
    def messages(self):
        return [message for data in self.taken for message in split(data)]

    @property
    def numbers(self):
        return [int(re.search(r" externalId=(\d+)", message)[1]) for message in self.messages]

    def stop(self):
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _serve(self):
        while True:
            try:
                line, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._answer, args=(line,), daemon=True).start()

    def _answer(self, line):
        act = self.does.pop(0) if self.does else ""
        with suppress(OSError):
            if self.context is not None:
                line = self.context.wrap_socket(line, server_side=True)
            if act == "silent":
                while line.recv(65536):
                    pass
                time.sleep(3)
                return
            data = b""
            while chunk := line.recv(512 if act else 65536):
                data += chunk
                if act:
                    if act == "reset":
                        line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
                    line.close()
                    return
            self.taken.append(data)
            if self.context is not None:
                line = line.unwrap()
        line.close()


def split(data):
    """Take apart what is framed by counted octets."""
    found = []
    while data:
        length, _, data = data.partition(b" ")
        found.append(data[: int(length)].decode())
        data = data[int(length) :]
    return found


def make_certificate(directory):
    """Make a certificate for 127.0.0.1; gives the server's context and the file that clients trust."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    authority, both = directory / "authority.pem", directory / "server.pem"
    authority.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    both.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + authority.read_bytes()
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(both)
    return context, authority
