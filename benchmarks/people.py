"""Signing in, and new tenants."""

from benchmarks import load
from benchmarks.bench import Bench
from benchmarks.figures import Figure, Physical, at_most

NEW_TENANTS = 5


def signing_in(bench: Bench) -> list[Figure]:
    """Sign-ins in a second; nearly all of one is the password's hash, which is slow on purpose."""
    demo = bench.vault.demo
    host = f"{demo['tenant']}.localhost:{bench.vault.port}"
    hashing = bench.vault.run_inside("hashing")

    def worker() -> load.Step:
        web = bench.vault.connect(token=None, host_header=host)
        credentials = {"email": demo["email"], "password": demo["password"]}
        headers = {"Origin": f"http://{host}"}
        return lambda: load.void(web.json("POST", "/api/v1/auth/login", credentials, headers=headers))

    alone = load.run_for(bench.seconds / 2, [worker()])
    with bench.vault.metered() as meter:
        rate = load.run_for(bench.seconds, [worker() for _ in range(bench.crowd)])
    rate.meter = meter
    facts = {**rate.facts(), **hashing}
    one = hashing["seconds"] * 1000
    return [
        Figure(
            "sign-in, one at a time: p50", alone.milliseconds(0.5), "ms", None, Physical(one, hashing["cost"]), facts
        ),
        Figure("sign-in, 8 at once", rate.per_second, "/s"),
        Figure("  CPU of one", rate.cpu_milliseconds("web", "PostgreSQL", "Valkey"), "ms"),
    ]


def tenants(bench: Bench) -> list[Figure]:
    """New tenants, from the template, with their owner."""
    seconds = bench.vault.run_inside("tenants", str(NEW_TENANTS))
    return [Figure("new tenant", load.median(seconds), "s", at_most(1), facts={"seconds": seconds})]
