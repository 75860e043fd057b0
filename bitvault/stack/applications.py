"""BitVault's own processes on one machine: web, sockets, workers, beat and the front, and the commands that prepare their ground."""

import http.client
import os
import shutil
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from bitvault.stack.caddy import Caddy, Reach, listens
from bitvault.stack.console import Console
from bitvault.stack.errors import StackError
from bitvault.stack.forks import Forks
from bitvault.stack.layout import ROOT, Layout
from bitvault.stack.log_file import QuietOutput
from bitvault.stack.ports import LOOPBACK
from bitvault.stack.process import MARKER, POLL_SECONDS, Child, ChildGroup, Program

SETTINGS_MODULE = "bitvault.settings.local"
WEB_APPLICATION = "bitvault.gateway.wsgi:application"
SOCKET_SERVER = "bitvault.gateway.sockets"
CELERY_APPLICATION = "bitvault.gateway.celery"
PRELOADED = "bitvault.gateway.preloading"
HEALTH_PATH = "/healthz"

# One per core, since Python runs one thread at a time; beyond four they only cost memory (130 MB each) on one machine.
LEAST_WEB_WORKERS, MOST_WEB_WORKERS = 2, 4

# Two per core and one more let a worker go on while requests wait for database and store; more answered no more requests
# a second. Each keeps a connection, and all of them must fit `max_connections`.
MOST_WEB_THREADS = 9

WORKER_PROCESSES = 2

# Webhooks wait for machines elsewhere: threads of one process, so that receivers that do not answer keep no other waiting.
OUTBOUND_THREADS = 6

# Workers by the queues they take, so that nobody waits for what hangs or takes minutes: the relay for nothing else, the consumers of the
# stream for one another only, short jobs for short ones and a preview in turn with them (30 s at most), and all others (sweeps, events that
# take long) for no consumer. A job of hours is the only thing that its process does: it puts its job back when it is told to stop.
LANES = {
    "relay": ("--queues", "relay", "--pool", "solo"),
    "worker": (
        "--exclude-queues",
        "relay,celery,patient,jobs,drawing,scans,outbound,bulk",
        "--concurrency",
        str(WORKER_PROCESSES),
    ),
    "patient": ("--queues", "celery,patient,scans", "--concurrency", "1"),
    "jobs": ("--queues", "jobs,drawing", "--concurrency", "1"),
    "outbound": ("--queues", "outbound", "--pool", "threads", "--concurrency", str(OUTBOUND_THREADS)),
    "bulk": ("--queues", "bulk", "--pool", "solo"),
}

# Their figures are one, given by whichever web process is asked; the sockets' process gives its own.
COUNTED_TOGETHER = frozenset({"web", *LANES})
READY_SECONDS = 60.0

# What a child may see of the surroundings besides BITVAULT_*: no more, so that a stray variable cannot change what
# runs.
INHERITED = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "USER", "SSL_CERT_FILE")


class Applications:
    """The processes that run BitVault's code."""

    def __init__(
        self,
        *,
        layout: Layout,
        console: Console,
        ports: Mapping[str, int],
        variables: Mapping[str, str],
        reach: Reach | None = None,
    ) -> None:
        """Describe the processes; ``variables`` lead them to their servers."""
        self.layout = layout
        self.ports = ports
        self._console = console
        self.reach = reach or Reach(port=ports["web"])
        # The front names one address of a client, and replaces whatever the client says of itself.
        told = {
            "BITVAULT_STATIC_DIRECTORY": str(layout.static),
            "BITVAULT_TRUSTED_PROXY_COUNT": "1",
            "BITVAULT_WEB_URL": f"http://{LOOPBACK}:{ports['wsgi']}",
            "BITVAULT_MAILBOX_DIRECTORY": str(layout.mailbox),
        }
        self._environment = surroundings() | told | dict(variables)
        self.forks = self._make_forks(console) if sys.platform == "linux" else None
        self.group = ChildGroup(stack_directory=layout.directory, output=console.output_of, forks=self.forks)
        # Stopped after the others: until then it answers for them.
        self.front = ChildGroup(stack_directory=layout.directory, output=QuietOutput(layout.log, console.say).of)

    def _make_forks(self, console: Console) -> Forks:
        environment = self._python("worker").environment
        return Forks(
            (PRELOADED,),
            environment={**environment, MARKER: str(self.layout.directory)},
            directory=ROOT,
            output=console.output_of,
        )

    def load(self) -> None:
        """Begin to load the code that all processes share, while their servers start; without this each loads its own."""
        if self.forks is not None:
            self.forks.start()

    def command(self, name: str, *arguments: str) -> Child:
        """Start one of ``manage.py``'s commands."""
        return self.group.launch(self._python(name, "manage.py", *arguments))

    def finish(self, child: Child) -> None:
        """Wait for a command to end well.

        :raises StackError: it failed.
        """
        while (code := child.exit_code()) is None:
            time.sleep(POLL_SECONDS)
        self.group.children.remove(child)
        if code != 0:
            name = child.program.name
            raise StackError(
                f"The step '{name}' failed (exit code {code}); the end of {self.layout.log / name}.log says:\n"
                f"{self._console.tail(name)}"
            )

    def start(self) -> None:
        """Start web, sockets, workers, beat and the front, and wait until all that answers does.

        :raises StackError: it does not.
        """
        # Figures count from the start of the processes that count them.
        shutil.rmtree(self.layout.figures, ignore_errors=True)
        workers = (self._worker(name, *options) for name, options in LANES.items())
        for program in (self._web(), self._sockets(), *workers, self._beat()):
            self.group.launch(program)
        self.start_front()
        web, sockets, *_ = self.group.children
        deadline = time.monotonic() + READY_SECONDS
        self._await(web, lambda: answers(self.ports["wsgi"]), deadline)
        self._await(sockets, lambda: answers(self.ports["sockets"]), deadline)
        self._await(self.front.children[0], lambda: listens(self.reach.listen, self.reach.port), deadline)

    def start_front(self) -> Child:
        """Start the front; it answers for a web that does not do so yet."""
        return self.front.launch(self._front())

    def _await(self, child: Child, is_ready: Callable[[], bool], deadline: float) -> None:
        while not is_ready():
            if child.exit_code() is not None or time.monotonic() > deadline:
                name = child.program.name
                raise StackError(
                    f"The process '{name}' did not start; the end of {self.layout.log / name}.log says:\n"
                    f"{self._console.tail(name)}"
                )
            time.sleep(POLL_SECONDS)

    def _front(self) -> Program:
        return Caddy(
            directory=self.layout.front,
            ports=self.ports,
            reach=self.reach,
            static_files=Path(self._environment["BITVAULT_STATIC_DIRECTORY"]),
        ).prepare()

    def _python(self, name: str, *arguments: str) -> Program:
        environment = self._environment
        if name in COUNTED_TOGETHER and environment.get("BITVAULT_METRICS_KEY"):
            environment = environment | {"BITVAULT_METRICS_DIRECTORY": str(self.layout.figures)}
        return Program(name=name, command=(sys.executable, *arguments), directory=ROOT, environment=environment)

    def _web(self) -> Program:
        cores = os.cpu_count() or 1
        workers = min(max(LEAST_WEB_WORKERS, cores), MOST_WEB_WORKERS)
        threads = min(2 * cores + 1, MOST_WEB_THREADS)
        return self._python(
            "web",
            *("-m", "granian", "--interface", "wsgi", "--http", "1", "--no-ws"),
            *("--host", LOOPBACK, "--port", str(self.ports["wsgi"])),
            # The front lets go of an idle connection before this one does (60 s are the most).
            *("--http1-header-read-timeout", "60000"),
            *("--workers", str(workers), "--blocking-threads", str(threads)),
            *("--respawn-failed-workers", "--workers-kill-timeout", "5", "--log-level", "warning"),
            WEB_APPLICATION,
        )

    def _sockets(self) -> Program:
        return self._python(
            "sockets",
            *("-m", SOCKET_SERVER, "--host", LOOPBACK, "--port", str(self.ports["sockets"])),
            # One machine stops as a whole: nobody takes over whose door a crowd could break.
            *("--drain-seconds", "1"),
        )

    def _worker(self, name: str = "worker", *options: str) -> Program:
        """Describe a worker of one lane; without options, one that takes all queues."""
        return self._python(
            name,
            # Django's checks were run by the command that has migrated; in each worker they would write to 8 MiB of what is shared.
            *("-m", "celery", "--quiet", "--skip-checks", "--app", CELERY_APPLICATION, "worker"),
            *("--hostname", f"{name}@%h"),
            # They have nothing to gossip about, and finding that out takes each a second at its start.
            *("--without-gossip", "--without-mingle", "--loglevel", "INFO"),
            *(options or ("--concurrency", str(WORKER_PROCESSES))),
        )

    def _beat(self) -> Program:
        return self._python(
            "beat",
            *(
                "-m",
                "celery",
                "--quiet",
                "--skip-checks",
                "--app",
                CELERY_APPLICATION,
                "beat",
                "--pidfile=",
                "--loglevel",
                "WARNING",
            ),
        )


def surroundings() -> dict[str, str]:
    """Give the variables that every process of BitVault starts from: what the owner set, and what a program needs to run."""
    inherited = {name: os.environ[name] for name in INHERITED if name in os.environ}
    chosen = {name: value for name, value in os.environ.items() if name.startswith("BITVAULT_")}
    return {
        **inherited,
        "BITVAULT_LOG_FORMAT": "console",
        **chosen,
        "DJANGO_SETTINGS_MODULE": SETTINGS_MODULE,
        "PYTHONUNBUFFERED": "1",
        # Titles of processes leave the environment as it is: leftovers are known by it.
        "SPT_NOENV": "1",
        # Celery advises against root at length; who runs a stack as root, in a container for one, has chosen so.
        "PYTHONWARNINGS": "ignore:You're running the worker with superuser privileges",
    }


def answers(port: int) -> bool:
    """Tell whether a healthy web server listens on the port."""
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=5)
    try:
        connection.request("GET", HEALTH_PATH, headers={"Host": f"{LOOPBACK}:{port}"})
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
