"""Which bytes are not read because of what a scanner for malware said of them, or has not said yet."""

from django.db.models import Exists, OuterRef

from apps.storage.errors import ContentInfected, ContentScanning, ContentUnscanned, ContentWithheld
from apps.storage.models import Blob
from bitvault.kernel import scanning

_REFUSALS: dict[str, type[ContentWithheld]] = {
    "scanning": ContentScanning,
    "infected": ContentInfected,
    "unscanned": ContentUnscanned,
}


def require_readable(scan_state: str) -> None:
    """Refuse what the entered tenant's rule keeps from being read.

    :raises ContentWithheld: by the class that names the state.
    """
    if scan_state in scanning.current().withheld:
        raise _REFUSALS[scan_state]


def is_of_withheld_content() -> Exists:
    """Ask whether some blob with the same ``content_hash`` as a row is withheld."""
    return Exists(
        Blob.objects.filter(content_hash=OuterRef("content_hash"), scan_state__in=scanning.current().withheld)
    )
