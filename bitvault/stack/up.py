"""``make up``: from nothing, or from what ``var/`` holds, to a BitVault that serves, in one foreground process."""

import json
import os
import shutil
import time
from dataclasses import dataclass
from pathlib import Path

from bitvault.stack import fingerprints
from bitvault.stack.applications import Applications
from bitvault.stack.caddy import EVERYWHERE, Reach
from bitvault.stack.console import Console
from bitvault.stack.layout import Layout, require_free
from bitvault.stack.leftovers import SupervisorLock, end_leftovers
from bitvault.stack.memory import give_back
from bitvault.stack.ports import LOOPBACK
from bitvault.stack.process import Child
from bitvault.stack.servers import Addresses, Servers, server_ports
from bitvault.stack.store_choice import ensure_store
from bitvault.stack.supervisor import StopAsked, Supervisor, stopping_by_signal
from bitvault.stack.trial_upload import TrialFailed, TrialImpossible, try_upload

APPLICATION_PORTS = ("wsgi", "sockets")


def run(directory: Path) -> None:
    """Start everything, say where it is, and keep it running until a signal comes.

    :raises StackError: something stands in the way; the sentence says what to do.
    """
    layout = Layout(directory)
    console = Console.standard(layout.log)
    started_at = time.monotonic()
    with stopping_by_signal():
        try:
            lock = SupervisorLock(layout.lock)
            # Before anything is looked at: in the middle of a reset it would seem damaged.
            lock.require_free()
            layout.open()
            lock.take()
            if ended := end_leftovers(directory):
                console.say(f"{ended} processes of a supervisor that was killed have been ended")
            stack = Stack.of(layout, console)
            try:
                stack.start()
                layout.mark_complete()
                trouble = stack.try_upload()
                seconds = time.monotonic() - started_at
                console.show(welcome(layout, stack.addresses, seconds=seconds, trouble=trouble))
                give_back()
                stack.supervisor.watch()
            finally:
                console.say("stopping")
                stack.supervisor.stop()
                stack.servers.stop()
        except StopAsked:
            console.say("stopped; the data are kept")


@dataclass(frozen=True, slots=True)
class Stack:
    """Everything that one supervisor runs."""

    layout: Layout
    console: Console
    addresses: Addresses
    servers: Servers
    applications: Applications
    supervisor: Supervisor

    @classmethod
    def of(cls, layout: Layout, console: Console) -> "Stack":
        """Put the parts together; nothing is started."""
        reach = Reach.chosen(os.environ)
        reach.require_allowed()
        # Before a store is built, which takes minutes.
        require_free(reach.port)
        store = ensure_store(layout, console.say)
        ports = layout.ensure_ports((*server_ports(store), *APPLICATION_PORTS, *reach.own_ports), web_port=reach.port)
        servers = Servers(
            directory=layout.directory,
            ports=ports,
            secrets=layout.ensure_secrets(),
            store=store,
            reach=reach,
            say=console.say,
        )
        applications = Applications(
            layout=layout, console=console, ports=ports, variables=servers.environment(), reach=reach
        )
        return cls(
            layout=layout,
            console=console,
            addresses=servers.addresses,
            servers=servers,
            applications=applications,
            supervisor=Supervisor([applications.group, applications.front, servers.group], console=console),
        )

    def start(self) -> None:
        """Bring up servers, database, static files and demo tenant, then the application; what is done already is left out."""
        prepared = fingerprints.Prepared(self.layout.prepared)
        static_files = fingerprints.of_static_files()
        migrations = fingerprints.of_migrations()
        collecting: Child | None = None
        if not (prepared.is_current("static", static_files) and self.layout.static.exists()):
            # Needs no server, and both wait for the disk more than for a core.
            collecting = self.applications.command("static", "collectstatic", "--noinput", "--verbosity", "0")
        self.console.say(f"starting PostgreSQL, Valkey and the object store ({self.servers.store.kind})")
        self.applications.load()
        self.servers.start()
        if not prepared.is_current("migrations", migrations):
            self.console.say("bringing the database up to date")
            self.applications.finish(self.applications.command("migrations", "migrate_tenants"))
            prepared.note("migrations", migrations)
        if not self._demo_is_current():
            self.console.say("making the demo tenant")
            self.applications.finish(self._create_demo())
        if collecting is not None:
            self.applications.finish(collecting)
            prepared.note("static", static_files)
        self.console.say("starting web, sockets, worker, beat and the front")
        self.applications.start()

    def try_upload(self) -> str:
        """Upload a file as the demo tenant's owner, and say what stands in the way; nothing where all is well."""
        demo = read_demo(self.layout.demo)
        reach = self.applications.reach
        front = (LOOPBACK if reach.listen == EVERYWHERE else reach.listen, reach.port)
        try:
            try_upload(base_url=demo["base_url"], token=demo["token"], front=front)
        except TrialImpossible as reason:
            self.console.say(f"whether a file can be uploaded was not tried: {reason}")
        except TrialFailed as failure:
            free_bytes = shutil.disk_usage(self.layout.directory).free
            return f"{failure}; the disk has {free_bytes // 1024**2:,} MiB free"
        return ""

    def _create_demo(self) -> Child:
        return self.applications.command(
            "demo",
            *("create_demo", "--output", str(self.layout.demo)),
            *("--base-url", self.addresses.plain_url, "--browser-url", self.addresses.demo_url),
            *("--socket-url", self.addresses.socket_url),
        )

    def _demo_is_current(self) -> bool:
        demo = read_demo(self.layout.demo)
        told = tuple(demo.get(name) for name in ("base_url", "browser_url", "socket_url"))
        addresses = self.addresses
        return told == (addresses.plain_url, addresses.demo_url, addresses.socket_url) and "mailbox_url" in demo


def read_demo(path: Path) -> dict[str, str]:
    """Read the demo tenant's secrets; none when there are none to read."""
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return {}


def _describe_mailbox(demo: dict[str, str]) -> str:
    """Say where mails go: to the mailbox, whose page stands beside its list, or out into the world."""
    url = demo.get("mailbox_url") or ""
    return url.removesuffix("mails.json") or "are sent by the server that BITVAULT_EMAIL_URL names"


def welcome(layout: Layout, addresses: Addresses, *, seconds: float, trouble: str = "") -> str:
    """Say where BitVault is, how to get in, what to try first, and what does not work."""
    demo = read_demo(layout.demo)
    warning = f"\n  NO FILE CAN BE UPLOADED: {trouble}.\n  Logs: {layout.log}\n" if trouble else ""
    return f"""
  BitVault is running (started in {seconds:.0f} s).
{warning}
    Open       {demo.get("browser_url")}
               {addresses.base_url} finds every vault of yours by e-mail
    Sign in    {demo.get("email")}
    Password   {demo.get("password")}
    Mails      {_describe_mailbox(demo)}

    Try first  drop a folder of files on the page; or, from a terminal,
               curl -H "Authorization: Bearer {demo.get("token")}" {addresses.plain_url}/api/v1/me

    Kept in    {layout.directory} (secrets of the demo: {layout.demo.name}; logs: {layout.log.name}/)
    Stop       Ctrl-C here, or 'make down' in another terminal
"""
