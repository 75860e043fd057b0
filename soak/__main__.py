"""``make soak``: use a BitVault from three places, kill its processes in turn, and check at the end that nothing was lost."""

import argparse
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

from soak.books import audit
from soak.clients import Ledger
from soak.places import Listener, Place
from soak.tally import Tally
from soak.vault import Vault
from soak.watcher import Watcher

PLACES = 3
TEAM_FOLDERS = 2


def main() -> int:
    asked = _arguments()
    tally = Tally(asked.seed)
    chance = random.Random(asked.seed)
    place = Path(tempfile.mkdtemp(prefix="bitvault-soak-", dir=asked.dir))
    place.chmod(0o755 if os.geteuid() == 0 else 0o700)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    try:
        with Vault(place / "var", tally, chance) as vault:
            _say(f"seed {asked.seed}: BitVault runs")
            _torment(vault, tally, chance, seconds=asked.minutes * 60)
        if tally.violations:
            _say(f"logs: {place}")
    finally:
        if not tally.violations:
            shutil.rmtree(place, ignore_errors=True)
    print(tally.report())
    return 1 if tally.violations else 0


def _torment(vault: Vault, tally: Tally, chance: random.Random, *, seconds: float) -> None:
    ledger = Ledger()
    places = [
        Place(number, vault.client(_draw(chance)), ledger, tally, _draw(chance)) for number in range(1, PLACES + 1)
    ]
    for number in range(1, TEAM_FOLDERS + 1):
        team = places[0].client.post("/team-folders", {"name": f"Team {number}"}).json()
        share = {"principal": {"type": "everyone"}, "role": "editor"}
        places[0].client.post(f"/nodes/{team['id']}/shares", share)
    for place in places:
        place.register()
    listeners = [
        Listener(place, vault.client(_draw(chance)), vault.ports["sockets"], _draw(chance)) for place in places
    ]
    watcher = Watcher(vault, vault.client(_draw(chance)), tally) if Watcher.can_look() else None
    if watcher is not None:
        watcher.start()
        watcher.looks.wait()
    for thread in (*places, *listeners):
        thread.start()
    deadline = time.monotonic() + seconds
    while True:
        targets = vault.targets()
        chance.shuffle(targets)
        for target in targets:
            vault.rest(chance.uniform(0.1, 1.0))
            _say(target)
            vault.strike(target)
        if time.monotonic() >= deadline:
            break
        _say("rebuild")
        vault.rebuild()
    _end(vault, *listeners, *places)
    tally.facts["heads"] = sum(listener.heads for listener in listeners)
    _say("checking")
    audit(vault, places, ledger, tally)
    tally.facts["browser"] = "none: Chromium is not installed"
    if watcher is not None:
        _end(vault, watcher)


def _end(vault: Vault, *threads: Place | Listener | Watcher) -> None:
    for thread in threads:
        thread.end()
    for thread in threads:
        while thread.is_alive():
            vault.rest(0.1)


def _draw(chance: random.Random) -> random.Random:
    """Give each thread chances of its own, so that what one does is no matter of what others did before."""
    return random.Random(chance.randrange(10**12))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0, help="how long; every process is killed once at least")
    parser.add_argument(
        "--seed", type=int, default=random.SystemRandom().randrange(10**9), help="repeat a run's choices"
    )
    parser.add_argument("--dir", type=Path, help="where the temporary stack lives")
    return parser.parse_args()


def _say(what: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {what}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
