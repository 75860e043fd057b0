"""Nothing that waits, and nobody who asks too much, holds up who needs nothing of it: the short form of ``benchmarks/stalls.py``.

The bounds are those of a loaded machine: a stall that reaches others holds them for as long as it lasts.
"""

import shutil
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from types import SimpleNamespace

import pytest

from benchmarks import stalls
from benchmarks.bench import Bench
from benchmarks.vault import Vault

pytestmark = pytest.mark.journey

SECONDS = 2.0
ANSWERED_SECONDS = 2.0


@pytest.fixture(scope="module")
def running():
    """A whole stack of its own, as ``make up`` starts it, since its servers are stopped; and another tenant's token."""
    place = Path(tempfile.mkdtemp(prefix="bitvault-stalls-"))
    place.chmod(0o755)
    vault = Vault(place / "var")
    vault.variables = {}
    try:
        vault.start()
        bench = Bench(vault, quick=True)
        yield SimpleNamespace(
            vault=vault,
            prepared={stall.name: stalls.prepare(bench, stall) for stall in stalls.STALLS},
            neighbour=vault.run_inside("neighbour")["token"],
        )
    finally:
        vault.stop()
        shutil.rmtree(place, ignore_errors=True)


@pytest.mark.parametrize("stall", stalls.STALLS, ids=lambda stall: stall.name.replace(" ", "-"))
def test_a_stall_holds_up_nobody_who_needs_nothing_of_it(running, stall):
    routes = [route for route in stalls.ROUTES if stall.stopped not in route.needs]
    with ExitStack() as trouble:
        if stall.stopped:
            trouble.enter_context(stalls.stopped(running.vault, stall.stopped))
        if stall.flood:
            trouble.enter_context(stalls.flooded(running.vault, stall.flood, running.prepared[stall.name]))
        time.sleep(stalls.SETTLE_SECONDS)
        probes = stalls.measure(running.vault, [*routes, stalls.HEALTH], running.neighbour, seconds=SECONDS)
    stalls.recover(running.vault, running.neighbour)
    held_up = {
        name: probe.facts() for name, probe in probes.items() if probe.refused or max(probe.seconds) > ANSWERED_SECONDS
    }
    assert held_up == {}
