"""Small programs that run with BitVault's own environment; ``benchmarks.vault`` starts them and reads the JSON they print.

``hashing`` times one password hash. ``tenants N`` makes N tenants through identity's door and times each.
"""

import json
import sys
import time

import django

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


def main() -> None:
    django.setup()
    match sys.argv[1:]:
        case ["hashing"]:
            print(json.dumps(hashing()))
        case ["tenants", count]:
            print(json.dumps(tenants(int(count))))


if __name__ == "__main__":
    main()
