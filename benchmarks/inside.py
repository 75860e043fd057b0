"""Small programs that run with BitVault's own environment; ``benchmarks.vault`` starts them and reads the JSON they print.

``hashing`` times one password hash. ``tenants N`` makes N tenants through identity's door and times each. ``commits TENANTS SECONDS``
writes rows in eight processes, with and without an event each. ``catch-up EVENTS`` lets each consumer catch up, and a device read it all.
``statements TENANTS MONTHS`` states month by month.
``idle TENANTS`` makes tenants of which nothing is asked. ``neighbour`` makes a tenant whose token is told.
``move-tenant PREFIX`` moves the first tenant below a prefix of the same bucket, and back.
``search TENANT PERSON STEP`` fills an index and searches it.
``limits TOKEN`` reads a node through the whole application in this process, with limits and without.
"""

import json
import sys
import time
from collections.abc import Callable
from typing import Any
from uuid import UUID

import django

from benchmarks import (
    backups_inside,
    limits_inside,
    placement_inside,
    searching_inside,
    statements_inside,
    stream_inside,
)

MADE_UP = "correct horse battery staple"


def hashing() -> dict[str, object]:
    from django.contrib.auth.hashers import check_password, get_hasher, make_password

    kept = make_password(MADE_UP)
    check_password(MADE_UP, kept)
    begun = time.perf_counter()
    for _ in range(5):
        assert check_password(MADE_UP, kept)
    hasher = get_hasher()
    cost = f"argon2id t={hasher.time_cost} m={hasher.memory_cost // 1024} MiB p={hasher.parallelism}"
    return {"seconds": (time.perf_counter() - begun) / 5, "cost": cost}


def tenants(count: int) -> list[float]:
    from apps.identity import api

    seconds = []
    for number in range(count):
        begun = time.perf_counter()
        api.create_tenant(
            slug=f"bench-{number}",
            name=f"Bench {number}",
            owner_email=f"owner{number}@bench.example",
            owner_password=MADE_UP,
        )
        seconds.append(time.perf_counter() - begun)
    return seconds


COUNTED: dict[str, Callable[[int], Any]] = {
    "tenants": tenants,
    "catch-up": stream_inside.catch_up,
    "idle": stream_inside.idle,
}


def main() -> None:
    django.setup()
    match sys.argv[1:]:
        case ["hashing"]:
            print(json.dumps(hashing()))
        case ["statements", count, months]:
            print(json.dumps(statements_inside.make(int(count), int(months))))
        case ["commits", count, seconds]:
            print(json.dumps(stream_inside.commits(int(count), float(seconds))))
        case ["neighbour"]:
            print(json.dumps(limits_inside.neighbour(MADE_UP)))
        case ["limits", token]:
            print(json.dumps(limits_inside.cost(token)))
        case ["backup" | "restore" | "move-tenant" as step, where]:
            works = {
                "backup": backups_inside.take,
                "restore": backups_inside.restore,
                "move-tenant": placement_inside.move,
            }
            print(json.dumps(works[step](where)))
        case ["search", tenant_id, user_id, step]:
            print(json.dumps(searching_inside.measure(UUID(tenant_id), UUID(user_id), step)))
        case [name, count]:
            print(json.dumps(COUNTED[name](int(count))))


if __name__ == "__main__":
    main()
