"""``make manage``: one of ``manage.py``'s commands, on the servers of the BitVault that runs here."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from bitvault.stack.applications import surroundings
from bitvault.stack.caddy import Reach
from bitvault.stack.errors import StackError
from bitvault.stack.layout import ROOT, Layout
from bitvault.stack.leftovers import SupervisorLock
from bitvault.stack.servers import Servers
from bitvault.stack.up import read_demo


def manage(directory: Path, arguments: Sequence[str]) -> None:
    """Become the command, with the terminal and the variables of whoever asked; does not return.

    :raises StackError: no BitVault runs from the directory, or it is only starting.
    """
    layout = Layout(directory)
    if not SupervisorLock(layout.lock).is_held():
        raise StackError(f"BitVault does not run from {directory}: start it with 'make up' in another terminal.")
    demo, store = read_demo(layout.demo), layout.read_store()
    if not demo or store is None:
        raise StackError("BitVault is starting for the first time: wait until it says that it is running.")
    # Where people reach it is its supervisor's choice for this run; the demo is made for it.
    reach = Reach.of_addresses(demo["base_url"], demo["browser_url"])
    ports = {**layout.read_ports(), "web": reach.port}
    servers = Servers(directory=directory, ports=ports, secrets=layout.ensure_secrets(), store=store, reach=reach)
    os.chdir(ROOT)
    environment = {**os.environ, **surroundings(), **servers.environment()}
    os.execve(sys.executable, [sys.executable, "manage.py", *arguments], environment)  # noqa: S606 - no shell is wanted
