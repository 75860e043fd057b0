"""Feature flags of files."""

from django.utils.translation import gettext_lazy as _

from apps.files import limits
from bitvault.kernel.flags import Flag, declare

ARCHIVE_LIMIT_BYTES = declare(
    Flag(
        key="files.archive_limit_bytes",
        default=limits.ARCHIVE_LIMIT_BYTES,
        description=_("Bytes in one archive. Less where workers or the store are small."),
        owner="File and metadata",
        ends=None,
        least=0,
        most=limits.ARCHIVE_LIMIT_BYTES,
    )
)
