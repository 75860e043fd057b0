"""Sockets: how long after a commit a device is told, and what a thousand of them cost."""

import itertools
import select
import shutil
import socket
import sys
import threading
import time
from contextlib import suppress
from uuid import UUID

import msgspec
from redis import Redis
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from benchmarks import load, processes
from benchmarks.bench import Bench
from benchmarks.figures import Figure, at_most
from benchmarks.vault import VaultProblem
from bitvault.stack.ports import LOOPBACK, free_ports
from bitvault.web.wakeups import head_channel

COMMITS_PER_SECOND = 50
WRITERS = 4
HELD = 1_000
ROUNDS = 9
PATIENCE_SECONDS = 30
KIB = 1024
PATH = "/ws/v1/sync"


def latency(bench: Bench) -> list[Figure]:
    """From the sending of a request that commits to the head at a socket, through web, stream, worker and projector."""
    vault = bench.vault
    web = vault.connect()
    ticket = web.json("POST", "/api/v1/sync/ticket", {}, expect=(201,)).json()["ticket"]
    port = vault.servers.ports["sockets"]
    heads: list[tuple[float, int]] = []
    with connect(f"ws://{LOOPBACK}:{port}{PATH}?ticket={ticket}", compression=None) as listening:
        thread = threading.Thread(target=_note_heads, args=(listening, heads), daemon=True)
        thread.start()
        asked = _commit_steadily(bench)
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not heads or heads[-1][1] < max(asked):
            if time.monotonic() > deadline:
                raise VaultProblem("the socket was not told of every commit")
            time.sleep(0.01)
    told = iter(heads)
    moment, head = next(told)
    waits = []
    for seq in sorted(asked):
        while head < seq:
            moment, head = next(told)
        waits.append((moment - asked[seq]) * 1000)
    waits.sort()
    facts = {"commits": len(waits), "heads": len(heads), "worst_ms": round(waits[-1], 1)}
    return [
        Figure("request → socket, 50 folders/s: p50", waits[len(waits) // 2], "ms", at_most(15), facts=facts),
        Figure("  p99", waits[len(waits) * 99 // 100], "ms", at_most(250)),
    ]


def _note_heads(listening: ClientConnection, heads: list[tuple[float, int]]) -> None:
    with suppress(ConnectionClosed):
        heads.extend((time.perf_counter(), msgspec.json.decode(word)["seq"]) for word in listening)


def _commit_steadily(bench: Bench) -> dict[int, float]:
    """Make folders at an even pace; tells when each number of the stream was asked for."""
    parent = str(bench.seed.folder("told of"))
    asked: dict[int, float] = {}
    begin = time.perf_counter() + 0.2
    count = int(COMMITS_PER_SECOND * bench.seconds * bench.runs)
    turns = itertools.count()

    def write() -> None:
        web = bench.vault.connect()
        while (turn := next(turns)) < count:
            time.sleep(max(0.0, begin + turn / COMMITS_PER_SECOND - time.perf_counter()))
            moment = time.perf_counter()
            body = {"parent_id": parent, "name": f"told {turn}"}
            answer = web.json("POST", "/api/v1/folders", body, expect=(201,))
            asked[int(answer.header("BitVault-Seq") or 0)] = moment

    writers = [threading.Thread(target=write) for _ in range(WRITERS)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    return asked


def held(bench: Bench) -> list[Figure]:
    """A thousand sockets of one tenant in one process: memory of each, and the time to tell all of them."""
    vault = bench.vault
    port = free_ports(("sockets",))["sockets"]
    limits = (f"BITVAULT_SOCKETS_PER_USER={HELD + 1}", f"BITVAULT_SOCKETS_PER_ADDRESS={HELD + 1}")
    command = (sys.executable, "-m", "bitvault.gateway.sockets", "--port", str(port), "--drain-seconds", "1")
    child = vault.launch("held-sockets", shutil.which("env") or "env", *limits, *command)
    demo = vault.demo
    host = f"{demo['tenant']}.localhost"
    page = f"http://{host}:{vault.port}"
    web = vault.connect(token=None, host_header=f"{host}:{vault.port}")
    credentials = {"email": demo["email"], "password": demo["password"]}
    login = web.json("POST", "/api/v1/auth/login", credentials, headers={"Origin": page})
    cookies = [line.split(b":", 1)[1] for line in login.head.split(b"\r\n") if line.lower().startswith(b"set-cookie:")]
    cookie = "; ".join(line.split(b";")[0].strip().decode() for line in cookies)
    asking = (
        f"GET {PATH} HTTP/1.1\r\nHost: {host}:{port}\r\nOrigin: {page}\r\nCookie: {cookie}\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    ).encode()
    tenant_id = UUID(vault.connect().get("/api/v1/me").json()["tenant"]["id"])
    held_open: list[socket.socket] = []
    try:
        _open(asking, port, held_open, 1)
        before = processes.memory_by_kind(child.pid)["sockets"].pss_bytes
        begun = time.perf_counter()
        _open(asking, port, held_open, HELD)
        opened = time.perf_counter() - begun
        each = (processes.memory_by_kind(child.pid)["sockets"].pss_bytes - before) / HELD
        with Redis.from_url(f"{vault.environment['BITVAULT_REDIS_URL']}/1") as valkey:
            rounds = [_tell(valkey, head_channel(tenant_id), 10**12 + turn, held_open) for turn in range(ROUNDS)]
    finally:
        for one in held_open:
            one.close()
        vault.end(child)
    facts = {"opened_per_second": round(HELD / opened), "rounds_ms": [round(one * 1000, 1) for one in rounds]}
    return [
        Figure("memory of one socket, of 1,000 held", each / KIB, "KiB", facts=facts),
        Figure("  1,000 sockets told", load.median(rounds) * 1000, "ms", at_most(50)),
    ]


def _open(asking: bytes, port: int, held_open: list[socket.socket], count: int) -> None:
    """Open sockets until there are so many more, and wait for the first word of each."""
    fresh = []
    deadline = time.monotonic() + PATIENCE_SECONDS
    while len(fresh) < count:
        try:
            one = socket.create_connection((LOOPBACK, port), timeout=PATIENCE_SECONDS)
        except ConnectionRefusedError:
            if time.monotonic() > deadline:
                raise VaultProblem("the socket process did not start") from None
            time.sleep(0.1)
            continue
        one.sendall(asking)
        fresh.append(one)
    for one in fresh:
        received = b""
        while b'"seq":' not in received:
            received += (more := one.recv(4096))
            if not more:
                raise VaultProblem(f"a socket was refused: {received[:200]!r}")
        held_open.append(one)


def _tell(valkey: Redis, channel: str, head: int, held_open: list[socket.socket]) -> float:
    """Announce a head and wait until it has come to all; the client only takes the bytes, for it runs on the same cores."""
    waiting = select.epoll()
    by_number = {one.fileno(): one for one in held_open}
    for number in by_number:
        waiting.register(number, select.EPOLLIN)
    begun = time.perf_counter()
    valkey.publish(channel, head)
    while by_number:
        ready = waiting.poll(PATIENCE_SECONDS)
        if not ready:
            raise VaultProblem(f"{len(by_number)} sockets were not told")
        for number, _ in ready:
            one = by_number.pop(number)
            waiting.unregister(number)
            one.recv(4096)
    taken = time.perf_counter() - begun
    waiting.close()
    return taken
