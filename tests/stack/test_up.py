"""``make up`` as its owner meets it: started, used, killed, started again, ended."""

import http.client
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import time
from urllib.parse import urlsplit

import pytest

from benchmarks import processes
from bitvault.stack.layout import ROOT, Layout
from bitvault.stack.leftovers import list_leftovers
from bitvault.stack.ports import free_ports
from tests.stack.processes import command_line, descendants, eventually, is_alive, listening_addresses
from tests.stack.test_layout import command, refused
from tests.stack.test_seaweedfs_doors import LOOPBACK_HEX

pytestmark = pytest.mark.journey

# `make bench` measures what is promised (60 and 15); here a machine may be as busy as it likes.
START_SECONDS = 240

# Web, sockets, six kinds of workers, PostgreSQL, Valkey, store and front: 650 MiB when it was measured last.
REST_MEBIBYTES = 800

FOLDER = "Kept over every start"


class Installation:
    """One directory, and the supervisor that runs from it."""

    def __init__(self, directory):
        self.directory = directory
        self.layout = Layout(directory)
        self.port = free_ports(["web"])["web"]
        self.output = directory.with_name("output.txt")
        self.process = None

    def start(self, **chosen):
        surroundings = {name: value for name, value in os.environ.items() if not name.startswith("BITVAULT_")}
        with self.output.open("w") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "bitvault.stack", "up", "--dir", str(self.directory)],
                cwd=ROOT,
                env={**surroundings, "BITVAULT_PORT": str(self.port), **chosen},
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        ready = eventually(lambda: self.is_up() or self.process.poll() is not None, seconds=START_SECONDS)
        assert ready, self.said()
        assert self.process.poll() is None, self.said()

    def is_running(self):
        return self.process is not None and self.process.poll() is None

    def is_up(self):
        return "BitVault is running" in self.said()

    def said(self):
        return self.output.read_text()

    def wait(self, seconds=120):
        return self.process.wait(timeout=seconds)

    @property
    def demo(self):
        return json.loads(self.layout.demo.read_text())

    def ask(self, method, path, body=None, *, host=None, token=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        headers = {"Host": host or f"127.0.0.1:{self.port}"}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        if body is not None:
            headers["Content-Type"] = "application/json"
        try:
            connection.request(method, path, json.dumps(body) if body is not None else None, headers)
            answer = connection.getresponse()
            return answer.status, answer.read()
        except (OSError, http.client.HTTPException) as error:
            return None, repr(error).encode()
        finally:
            connection.close()

    def answers(self):
        """Whether the web does, behind the front: it knows that nobody asks."""
        return self.ask("GET", "/api/v1/me")[0] == 401

    def folders(self):
        status, body = self.ask("GET", "/api/v1/nodes/root/children", token=self.demo["token"])
        assert status == 200, body
        return [node["name"] for node in json.loads(body)["items"]]


@pytest.fixture(scope="module")
def installation(tmp_path_factory):
    """The first start, and a folder that is kept from then on; a test that needs it running finds it so (``running``)."""
    made = Installation(tmp_path_factory.mktemp("up") / "var")
    made.start()
    body = {"parent_id": root(made), "name": FOLDER}
    assert made.ask("POST", "/api/v1/folders", body, token=made.demo["token"])[0] == 201
    yield made
    if made.is_running():
        made.process.terminate()
        made.wait()


@pytest.fixture(autouse=True)
def running(installation):
    """Start it again when the test before has ended it."""
    if not installation.is_running():
        installation.start()


def test_a_first_start_leads_to_a_vault_that_serves(installation):
    demo = installation.demo
    assert installation.layout.demo.stat().st_mode & 0o777 == 0o600
    assert set(demo) == {
        "base_url",
        "browser_url",
        "socket_url",
        "tenant",
        "email",
        "password",
        "token",
        "member",
        "mailbox_url",
    }
    assert demo["base_url"] == f"http://127.0.0.1:{installation.port}"
    assert demo["browser_url"] == f"http://demo.localhost:{installation.port}"
    assert demo["socket_url"] == f"ws://127.0.0.1:{installation.port}/ws/v1/sync"
    for person in (demo, demo["member"]):
        status, body = installation.ask("GET", "/api/v1/me", token=person["token"])
        assert status == 200, body
        assert json.loads(body)["user"]["email"] == person["email"]
    browser_host = urlsplit(demo["browser_url"]).netloc
    assert installation.ask("GET", "/sign-in/", host=browser_host)[0] == 200
    mailbox_page = demo["mailbox_url"].removesuffix("mails.json")
    for word in (demo["browser_url"], mailbox_page, demo["email"], demo["password"], demo["token"], "make down"):
        assert word in installation.said()


def test_a_style_sheet_is_served_at_the_same_address(installation):
    status, page = installation.ask("GET", "/sign-in/", host=urlsplit(installation.demo["browser_url"]).netloc)
    assert status == 200
    links = [part.partition('"')[0] for part in page.decode().split('href="') if part.startswith("/static/")]
    assert links
    assert installation.ask("GET", links[0])[0] == 200


def test_every_process_listens_on_loopback_alone(installation):
    listening = listening_addresses(descendants(installation.process.pid))
    assert {address for address, _ in listening} == {LOOPBACK_HEX}
    kept = json.loads(installation.layout.ports.read_text())
    assert {port for _, port in listening} == {*kept.values(), installation.port}


def test_everything_at_rest_fits_a_small_server(installation):
    """What other installations on this machine share with this one makes it less, never more; `make bench` measures one alone."""
    time.sleep(2)
    held = processes.memory_by_kind(installation.process.pid)
    mebibytes = {kind: round(memory.pss_bytes / 1024**2) for kind, memory in held.items()}
    assert sum(mebibytes.values()) <= REST_MEBIBYTES, mebibytes


def test_no_secret_is_in_a_log_or_on_a_command_line(installation):
    secrets = [*json.loads(installation.layout.secrets.read_text()).values(), installation.demo["token"]]
    texts = [log.read_text(errors="replace") for log in installation.layout.log.iterdir()]
    texts += [command_line(pid) for pid in descendants(installation.process.pid)]
    for secret in secrets:
        assert not [text for text in texts if secret in text]


def test_a_second_start_beside_the_first_is_refused(installation):
    done = command("up", "--dir", installation.directory, BITVAULT_PORT=str(installation.port))
    assert refused(done, "runs already", "make down")


def test_a_command_of_an_operator_runs_on_what_runs_here(installation):
    named = ("manage", "--dir", installation.directory, "createsuperuser", "--noinput", "--email", "ops@stack.test")
    made = command(*named, DJANGO_SUPERUSER_PASSWORD="a long enough password")
    assert (made.returncode, made.stdout) == (0, "Superuser created successfully.\n"), made.stderr
    again = command(*named, DJANGO_SUPERUSER_PASSWORD="a long enough password")
    assert (again.returncode, again.stderr) == (1, "CommandError: Error: That e-mail is already taken.\n")


def test_a_web_server_that_falls_comes_back(installation):
    web = next(
        pid for pid in descendants(installation.process.pid) if "granian" in command_line(pid) and os.getsid(pid) == pid
    )
    workers = descendants(web) - {web}
    os.kill(web, signal.SIGKILL)
    assert eventually(lambda: "web ended (by SIGKILL); it is started again" in installation.said())
    # Its workers may go on answering for the moment; they are ended with it before the next one takes the port.
    orphans = {pid for pid in workers if is_alive(pid)}
    assert eventually(lambda: not [pid for pid in orphans if is_alive(pid)])
    assert eventually(installation.answers)
    assert FOLDER in installation.folders()


def root(installation):
    status, body = installation.ask("GET", "/api/v1/me", token=installation.demo["token"])
    assert status == 200, (status, body)
    return json.loads(body)["root_id"]


def test_a_killed_supervisor_blocks_nothing_and_loses_nothing(installation):
    before = installation.demo
    family = descendants(installation.process.pid) - {installation.process.pid}
    installation.process.kill()
    installation.wait()
    installation.start()
    assert not [pid for pid in family if is_alive(pid)]
    assert installation.demo == before
    assert FOLDER in installation.folders()


def test_down_ends_every_process_and_keeps_the_data(installation):
    family = descendants(installation.process.pid)
    done = command("down", "--dir", installation.directory)
    assert (done.returncode, done.stdout) == (0, "BitVault has stopped; the data are kept.\n")
    assert installation.wait() == 0
    assert not [pid for pid in family if is_alive(pid)]
    assert list_leftovers(installation.directory) == []
    assert installation.layout.marker.exists()


def test_ctrl_c_ends_everything(installation):
    assert FOLDER in installation.folders()
    family = descendants(installation.process.pid)
    installation.process.send_signal(signal.SIGINT)
    assert installation.wait() == 0
    assert eventually(lambda: not [pid for pid in family if is_alive(pid)])
    assert "stopped; the data are kept" in installation.said()


def test_a_domain_gives_the_same_vault_by_tls(installation):
    """Caddy's own authority stands in for a public one."""
    name = "vault.example.test"
    assert command("down", "--dir", installation.directory).returncode == 0
    installation.wait()
    installation.start(BITVAULT_DOMAIN=name, BITVAULT_TLS="internal", BITVAULT_LISTEN="127.0.0.1")
    demo = installation.demo
    origin = f"https://{name}:{installation.port}"
    assert (demo["base_url"], demo["browser_url"]) == (origin, f"https://demo.{name}:{installation.port}")
    assert demo["socket_url"] == f"wss://{name}:{installation.port}/ws/v1/sync"
    status, body = ask_by_tls(installation, name, "/api/v1/me", token=demo["token"])
    assert (status, json.loads(body)["socket_url"]) == (200, demo["socket_url"])
    status, body = ask_by_tls(installation, name, "/api/v1/nodes/root/children", token=demo["token"])
    assert FOLDER in [node["name"] for node in json.loads(body)["items"]]
    assert ask_by_tls(installation, f"demo.{name}", "/sign-in/")[0] == 200
    assert ask_by_tls(installation, f"admin.{name}", "/")[0] == 302
    # The store's answer, not the vault's: it lets nobody read without a signature.
    status, body = ask_by_tls(installation, f"store.{name}", "/bitvault/key")
    assert (status, b"AccessDenied" in body) == (403, True)
    with pytest.raises((ssl.SSLError, ConnectionError)):
        ask_by_tls(installation, f"nobody.{name}", "/")
    done = command("down", "--dir", installation.directory)
    assert done.returncode == 0
    installation.wait()


def ask_by_tls(installation, name, path, *, token=None):
    """Ask by a name that no name server knows, trusting the installation's own authority alone."""
    authority = installation.directory / "caddy/caddy/pki/authorities/local/root.crt"
    context = ssl.create_default_context(cafile=authority)
    headers = f"Authorization: Bearer {token}\r\n" if token else ""
    with (
        socket.create_connection(("127.0.0.1", installation.port), timeout=20) as plain,
        context.wrap_socket(plain, server_hostname=name) as line,
    ):
        request = f"GET {path} HTTP/1.1\r\nHost: {name}:{installation.port}\r\n{headers}Connection: close\r\n\r\n"
        line.sendall(request.encode())
        answer = http.client.HTTPResponse(line)
        answer.begin()
        return answer.status, answer.read()
