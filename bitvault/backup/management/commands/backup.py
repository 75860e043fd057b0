"""``manage.py backup``: take, list and verify backups."""

import time
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from bitvault.backup import checking, manifest, taking
from bitvault.backup.configured import open_configured
from bitvault.backup.errors import BackupError
from bitvault.backup.manifest import Manifest
from bitvault.backup.targets import Target

TOLD_SECONDS = 5.0
MIB = 1024**2


class Command(BaseCommand):
    """Take a backup while everything goes on. One that was killed is gone on with by running the command again."""

    help = "Take a backup of everything: database and files. Also lists and verifies those that are there."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("target", nargs="?", default="", help="absolute path, or s3://bucket/prefix")
        parser.add_argument("--keep", type=int, help="how many backups stay; older ones are removed afterwards")
        parser.add_argument("--dry-run", action="store_true", help="tell what would be copied; nothing is changed")
        parser.add_argument("--list", action="store_true", help="list the backups that are there")
        parser.add_argument("--verify", nargs="?", const="", help="read a backup whole (the last one) and compare it")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["keep"] is not None and options["keep"] < 1:
            raise CommandError("--keep must be 1 at least.")
        takes = not (options["list"] or options["verify"] is not None or options["dry_run"])
        try:
            target = open_configured(options["target"], writes=takes)
            if options["list"]:
                self._list(target)
            elif options["verify"] is not None:
                self._verify(target, manifest.get(target, options["verify"] or None))
            elif options["dry_run"]:
                self._preview(target)
            else:
                self._take(target, keep=options["keep"])
        except BackupError as error:
            raise CommandError(str(error)) from error

    def _take(self, target: Target, *, keep: int | None) -> None:
        begun = time.monotonic()
        done = taking.take(target, keep=keep, report=Progress(self))
        self._tell(done)
        self.stdout.write(
            f"Copied {done.copied_count} objects, {done.copied_bytes / MIB:.1f} MiB, "
            f"in {time.monotonic() - begun:.1f} s to {target.name}."
        )
        self.stdout.write(f"Keep these elsewhere, they are not in it: {', '.join(done.secrets)}.")
        if done.lost_count:
            first = "\n".join(f"  {loss.key}: {loss.what}" for loss in done.losses[:10])
            raise CommandError(
                f"{done.lost_count} objects are lost or damaged in the store and not in the backup:\n{first}\n"
                "See 'Findings' on the operators' host, and keep the backups that still have them."
            )

    def _list(self, target: Target) -> None:
        for one in manifest.list_finished(target):
            self._tell(one)

    def _tell(self, one: Manifest) -> None:
        lost = f", {one.lost_count} objects lost" if one.lost_count else ""
        self.stdout.write(
            f"{one.id}  taken {one.taken_at:%Y-%m-%d %H:%M:%S} UTC: {len(one.tenants)} tenants, "
            f"database {one.database_bytes / MIB:.1f} MiB, {one.row_count} rows, "
            f"{one.object_count} objects of {one.object_bytes / MIB:.1f} MiB{lost}"
        )
        for tenant in one.tenants:
            self.stdout.write(f"    {tenant.slug}: stream {tenant.seq}, {tenant.object_count} objects")

    def _verify(self, target: Target, one: Manifest) -> None:
        wrong = 0
        for sentence in checking.verify(target, one, report=Progress(self)):
            wrong += 1
            self.stderr.write(sentence)
        self._tell(one)
        if wrong:
            raise CommandError(f"{wrong} things are wrong with {one.id}.")
        self.stdout.write(f"{one.id} is whole: every file and object is as it was written.")

    def _preview(self, target: Target) -> None:
        seen = taking.preview(target)
        self.stdout.write(
            f"{seen.tenant_count} tenants, {seen.database_bytes / MIB:.1f} MiB of database (its dumps are smaller), "
            f"{seen.object_count} objects of {seen.object_bytes / MIB:.1f} MiB, "
            f"of which {seen.missing_count} of {seen.missing_bytes / MIB:.1f} MiB are not in {target.name} yet.\n"
            f"{settings.BITVAULT_BASE_URL}: nothing was changed."
        )


class Progress:
    """Says every few seconds how far it is."""

    def __init__(self, command: BaseCommand) -> None:
        self._command = command
        self._told_at = time.monotonic()

    def __call__(self, what: str, done: int, total: int) -> None:
        now = time.monotonic()
        if now - self._told_at >= TOLD_SECONDS:
            self._told_at = now
            self._command.stderr.write(f"{what}: {done} of {total}")
