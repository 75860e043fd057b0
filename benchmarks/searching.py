"""Search in a tenant of a million nodes, by each engine: names, filters and suggestions; and what OpenSearch takes for it."""

import shutil
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.bench import Bench
from benchmarks.figures import Figure, at_most
from dev.opensearch.node import Node

NODES, NODES_QUICK = 1_000_000, 20_000
LEAVES = 1_000
BRANCHES = 100
HEAP = "512m"
"""The node's, for a million documents; half of it does for a hundred thousand."""

SEARCH_MS, SUGGEST_MS = 200, 100


def million(bench: Bench) -> list[Figure]:
    """Fill a vault, and search it by PostgreSQL, then by OpenSearch."""
    count = bench.nodes or (NODES_QUICK if bench.quick else NODES)
    branches = min(BRANCHES, count // LEAVES)
    for part in range(count // (branches * LEAVES)):
        bench.seed.forest(bench.seed.folder(f"searched {part}"), branches=branches, leaves=LEAVES, name=_name)
    owner = [str(bench.seed.owner.tenant_id), str(bench.seed.owner.user_id)]
    figures = _figures("PostgreSQL", bench.vault.run_inside("search", *owner, "rebuild"))
    directory = Path(tempfile.mkdtemp(prefix="bitvault-opensearch-"))
    try:
        with Node(directory, heap=HEAP) as node:
            chosen = {"BITVAULT_SEARCH_ENGINE": "opensearch", "BITVAULT_OPENSEARCH_URL": node.url}
            told = bench.vault.run_inside("search", *owner, "build", variables=chosen)
            figures += _figures("OpenSearch", told)
            figures.append(Figure(f"  memory of OpenSearch, heap of {HEAP}", _peak_mib(node.pid), "MiB"))
    finally:
        shutil.rmtree(directory, ignore_errors=True)
    return figures


_WORDS = (
    *(
        "annual",
        "budget",
        "contract",
        "draft",
        "estimate",
        "forecast",
        "harbour",
        "invoice",
        "journal",
        "kitchen",
        "ledger",
        "minutes",
    ),
    *(
        "notice",
        "offer",
        "protocol",
        "quarter",
        "report",
        "schedule",
        "tender",
        "update",
        "vendor",
        "workshop",
        "yearbook",
        "zoning",
    ),
)


def _name(branch: int, leaf: int) -> str:
    """Name a file as people do: three words, a number, an ending."""
    number = branch * LEAVES + leaf
    first, second, third = (_WORDS[number // step % len(_WORDS)] for step in (1, len(_WORDS), len(_WORDS) ** 2))
    return f"{first} {second}-{third} {number}.{('pdf', 'docx', 'txt')[number % 3]}"


def _figures(engine: str, told: dict[str, Any]) -> list[Figure]:
    facts = {"nodes": told["nodes"], "each": told["each"]}
    return [
        Figure(
            f"search among {told['nodes']:,} nodes, {engine}: p95",
            told["search_ms"],
            "ms",
            at_most(SEARCH_MS),
            facts=facts,
        ),
        Figure(f"  suggestions, {engine}: p95", told["suggest_ms"], "ms", at_most(SUGGEST_MS)),
        Figure(f"  filling it, {engine}", told["per_second"], "nodes/s"),
    ]


def _peak_mib(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024
