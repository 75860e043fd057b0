"""What a run over the store did and found, written down for operators: counts as it goes on, findings one by one."""

from collections import Counter
from datetime import timedelta
from uuid import UUID

from apps.storage.models import FindingKind, RunKind, RunState, StoreFinding, StoreRun
from bitvault.kernel import clock, db, tenancy

FINDINGS_LIMIT = 2000
"""Findings of one run that are written down; of the rest only their number is."""

KEPT_FOR = timedelta(days=90)


class Notes:
    """The notes of one run. Its row is written with the first thing that is worth it; a run that found nothing may leave none."""

    def __init__(self, kind: RunKind, *, is_dry: bool, run_id: UUID | None = None) -> None:
        self._run = StoreRun(tenant_id=tenancy.current().id, kind=kind, is_dry=is_dry, started_at=clock.now())
        self._is_written = False
        self._counts: Counter[str] = Counter()
        self._findings: list[StoreFinding] = []
        self._found = 0
        if run_id is not None:
            self._run = StoreRun.objects.get(id=run_id)
            self._is_written = True
            self._counts = Counter(self._run.counts)
            self._found = self._run.findings.count()

    @property
    def run_id(self) -> UUID:
        """The run's id, under which another try goes on with it."""
        return UUID(str(self._run.id))

    @property
    def counts(self) -> dict[str, int]:
        """What was done so far, by name."""
        return dict(self._counts)

    @property
    def findings(self) -> list[StoreFinding]:
        """What was found and is not written yet."""
        return list(self._findings)

    def count(self, name: str, by: int = 1) -> None:
        """Count something that was done."""
        if by:
            self._counts[name] += by

    def find(
        self,
        kind: FindingKind,
        *,
        key: str = "",
        blob_id: UUID | None = None,
        size_bytes: int | None = None,
        detail: str = "",
        outcome: str = "reported",
    ) -> None:
        """Note something that was found."""
        self._counts[kind] += 1
        self._found += 1
        if self._found <= FINDINGS_LIMIT:
            self._findings.append(
                StoreFinding(
                    run=self._run,
                    kind=kind,
                    key=key,
                    blob_id=blob_id,
                    size_bytes=size_bytes,
                    detail=detail,
                    outcome=outcome,
                    found_at=clock.now(),
                )
            )

    def write(self) -> None:
        """Write what was noted since the last time."""
        self._run.counts = self.counts
        with db.public_transaction():
            self._run.save(force_insert=not self._is_written)
            StoreFinding.objects.bulk_create(self._findings, ignore_conflicts=True)
        self._is_written = True
        self._findings = []

    def end(self, state: RunState = RunState.DONE, *, reason: str = "") -> None:
        """Write how the run ended."""
        self._run.state = state
        self._run.reason = reason
        self._run.finished_at = clock.now()
        self.write()


def forget_old() -> int:
    """Delete runs of long ago with their findings; returns how many rows went."""
    with db.public_transaction():
        deleted, _ = StoreRun.objects.filter(started_at__lt=clock.now() - KEPT_FOR).delete()
    return deleted
