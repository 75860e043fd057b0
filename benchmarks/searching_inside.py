"""What ``benchmarks.inside`` does with search."""

import statistics
import time
from collections.abc import Callable
from typing import Any
from uuid import UUID

TURNS = 20
QUERIES = (
    *(
        "budget",
        "invoice-contract",
        "report 77",
        "kitchen ledger",
        '"annual budget"',
        "budget -contract",
        "zoning type:pdf",
    ),
    *("harbour size:>100kB", "owner:me workshop", "tender before:2100-01-01", "nothing of this name", "budgte"),
    *(
        "invoice amount:>500",
        "status:open",
        "note:harb",
        "budget -status:open",
        "report held:yes",
        "held:yes",
        "offer held:no",
    ),
)
TYPED = ("bu", "inv", "annual b", "report 7", "zoning yea", "12345", "kitchen led", "xq")


def measure(tenant_id: UUID, user_id: UUID, step: str) -> dict[str, Any]:
    """Fill the index, and time searches and suggestions of somebody who sees all of it.

    :param step: ``rebuild`` fills PostgreSQL's tables, ``build`` OpenSearch from them.
    """
    from apps.identity import api as identity
    from apps.search import api as search
    from apps.search import building, rebuilding
    from apps.search.models import Document
    from bitvault.kernel import db, tenancy
    from bitvault.kernel.actor import ALL_SCOPES, Actor, Role

    tenant = identity.find_tenant(tenant_id=tenant_id)
    assert tenant is not None
    actor = Actor(tenant=tenant, user_id=user_id, role=Role.OWNER, scopes=ALL_SCOPES)
    with tenancy.entered(tenant):
        begun = time.perf_counter()
        (rebuilding.rebuild if step == "rebuild" else building.build)()
        took = time.perf_counter() - begun
        if step == "rebuild":
            _leave_texts_alone()
            _describe(actor)
        with db.read_transaction():
            count = Document.objects.count()
        each = {text: _p95(lambda text=text: search.search(actor=actor, text=text)) for text in QUERIES}
        typed = {text: _p95(lambda text=text: search.suggest(actor=actor, text=text)) for text in TYPED}
    return {
        "nodes": count,
        "per_second": count / took,
        "search_ms": max(each.values()),
        "suggest_ms": max(typed.values()),
        "each": {**each, **typed},
    }


def _leave_texts_alone() -> None:
    """Take back that texts are read: the files of a forest have no bytes, and their documents would change while they are compared."""
    from apps.search.contents import READ_JOB
    from bitvault.jobs.models import Job

    while Job.objects.filter(kind=READ_JOB, state__in=["queued", "running"]).exists():
        Job.objects.filter(kind=READ_JOB, state="queued").delete()
        time.sleep(0.5)


def _describe(actor: Any) -> None:
    """Give each tenth node metadata in the index, and put the first folder of the root on hold, with a tenth of all below it or more."""
    from apps.annotations.api import metadata
    from apps.annotations.dtos import FieldWish
    from apps.files.api import retention
    from apps.search import described
    from apps.search.models import Described, Document
    from bitvault.events import consuming
    from bitvault.kernel import db

    kinds = {"Amount": "number", "Status": "choice", "Note": "text"}
    fields = [
        FieldWish(name=name, kind=kind, choices=["open", "done"] * (kind == "choice")) for name, kind in kinds.items()
    ]
    template = metadata.create_template(actor=actor, name="Contract", fields=fields)
    amount, status, note = (field.id for field in template.fields)
    with db.read_transaction():
        node_ids = list(Document.objects.filter(is_folder=False).order_by("node_id").values_list("node_id", flat=True))[
            ::10
        ]
        folder_id = (
            Document.objects.filter(name__startswith="searched")
            .order_by("node_id")
            .values_list("node_id", flat=True)[0]
        )
    rows = (
        Described(
            node_id=node_id,
            seq=1,
            values=described.write_values(
                [
                    (amount, "number", str(number % 1000)),
                    (status, "choice", ("open", "done")[number % 2]),
                    (note, "text", f"harbour {number}"),
                ]
            ),
        )
        for number, node_id in enumerate(node_ids)
    )
    with db.write_transaction():
        Described.objects.bulk_create(rows, batch_size=5_000)
    retention.make_policy(actor=actor, kind="hold", name="Case", target="folder", node_id=folder_id)
    consuming.consume("search")


def _p95(ask: Callable[[], Any]) -> float:
    """Time a call, some times after the first one, which finds nothing in any cache; in milliseconds."""
    ask()
    times = []
    for _ in range(TURNS):
        begun = time.perf_counter()
        ask()
        times.append((time.perf_counter() - begun) * 1000)
    return statistics.quantiles(times, n=20)[-1]
