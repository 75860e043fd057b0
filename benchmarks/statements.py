"""Statements: what an installation spends on the morning after a month."""

from benchmarks.bench import Bench
from benchmarks.figures import Figure, at_least, at_most

TENANTS, TENANTS_QUICK = 1000, 50
MONTHS = 4
"""With three earlier months, as many as are recomputed."""

OLD_TENANTS, OLD_MONTHS = 20, 25
"""With two years behind it, a statement has to cost what it did at the beginning."""


def monthly(bench: Bench) -> list[Figure]:
    """Statements of all tenants, one after another in one worker, with three earlier months recomputed for each."""
    count = TENANTS_QUICK if bench.quick else TENANTS
    told = bench.vault.run_inside("statements", str(count), str(MONTHS))
    old = bench.vault.run_inside("statements", str(OLD_TENANTS), str(OLD_MONTHS))
    seconds, at_rest = told["last_seconds"], told["rest_seconds"]
    return [
        Figure(f"statements of {count:,} tenants", seconds, "s", facts=told),
        Figure("  in a second", count / seconds, "/s", at_least(25)),
        Figure(
            "  one after two years against the fourth month's",
            old["last_seconds"] / old["fourth_seconds"],
            "",
            at_most(2),
        ),
        Figure("  statements to PostgreSQL for one", told["statements"], ""),
        Figure("  a turn that finds nothing due, of one", 1000 * at_rest / count, "ms", at_most(5)),
    ]
