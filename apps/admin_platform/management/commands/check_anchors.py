"""``manage.py check_anchors``: whether the bucket of anchors locks what is put there."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.admin_platform import locked_bucket


class Command(BaseCommand):
    """Put an object into the bucket and try to delete it; exit code 1 when the bucket does not refuse."""

    help = (
        "Put an object that is locked for a minute into the bucket of anchors, and try to delete it. "
        "Exits with 1 when the bucket has no Object Lock, lets it go, or does not answer."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        bucket = locked_bucket.find_configured()
        if bucket is None:
            raise CommandError("Anchors are copied nowhere: set BITVAULT_ANCHOR_BUCKET.")
        try:
            bucket.prove()
        except locked_bucket.Trouble as trouble:
            raise CommandError(f"{bucket.place} cannot be used ({trouble.code}): {trouble}.") from trouble
        self.stdout.write(
            f"{bucket.place} refuses to delete what is locked. Anchors are locked there for {bucket.days} days ({bucket.mode}).\n"
        )
