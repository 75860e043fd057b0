"""``manage.py restore``: a whole backup into an empty installation, or one tenant into this one."""

import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from bitvault.backup import manifest, restoring, restoring_tenant
from bitvault.backup.arriving import Brought, Proof
from bitvault.backup.configured import open_configured
from bitvault.backup.errors import BackupError
from bitvault.backup.management.commands.backup import MIB, Progress


class Command(BaseCommand):
    """Restore what ``manage.py backup`` has taken, and prove that it is as it was."""

    help = "Restore a backup into an empty installation, or one tenant of it into a running one."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("target", nargs="?", default="", help="absolute path, or s3://bucket/prefix")
        parser.add_argument("--backup", help="which one; the last one, if none is named")
        parser.add_argument("--tenant", help="restore this one alone, by its slug in the backup")
        parser.add_argument(
            "--discard-demo",
            action="store_true",
            help="delete the demo that `make up` has made here, and nobody else's",
        )
        parser.add_argument("--replace", action="store_true", help="put the tenant into the place of what it has now")

    def handle(self, *args: Any, **options: Any) -> None:
        begun = time.monotonic()
        if options["replace"] and not options["tenant"]:
            raise CommandError("--replace goes with --tenant: a whole backup goes into an empty installation alone.")
        try:
            target = open_configured(options["target"], writes=False)
            taken = manifest.get(target, options["backup"])
            if options["tenant"]:
                brought, proof = restoring_tenant.restore(
                    target, taken, slug=options["tenant"], replaces=options["replace"], report=Progress(self)
                )
                proofs = [proof]
            else:
                brought, proofs = restoring.restore(
                    target, taken, discards_demo=options["discard_demo"], report=Progress(self)
                )
        except BackupError as error:
            raise CommandError(str(error)) from error
        self._tell(taken.id, brought, proofs, time.monotonic() - begun)

    def _tell(self, backup_id: str, brought: Brought, proofs: list[Proof], seconds: float) -> None:
        for proof in proofs:
            self.stdout.write(
                f"{proof.slug}: as of number {proof.seq} of its stream, {proof.rows} rows compared, "
                f"{proof.audit_entries} entries of the audit log recomputed"
            )
        self.stdout.write(
            f"Restored {backup_id} in {seconds:.1f} s; {brought.written_count} objects, {brought.written_bytes / MIB:.1f} MiB, "
            "were written to the store. Devices take a fresh snapshot; people sign in anew where everything was restored."
        )
        wrong = [sentence for proof in proofs for sentence in proof.wrong]
        if brought.lost_count:
            wrong.append(f"{brought.lost_count} objects were lost already when the backup was taken.")
        if wrong:
            raise CommandError("It is restored, and not all of it is as it should be:\n" + "\n".join(wrong))
