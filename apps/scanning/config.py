"""What operators change of scanning while it runs."""

from typing import Annotated
from urllib.parse import urlsplit

import msgspec
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from bitvault.kernel.config import Setting, Unfit, declare


def _require_address(url: str) -> None:
    """Refuse what is no address of a scanner."""
    if not url:
        return
    try:
        parts = urlsplit(url)
        is_place = bool(parts.hostname) or (parts.scheme == "clamd" and len(parts.path) > 1)
        is_fit = parts.scheme in ("clamd", "icap") and is_place and parts.port != 0
    except ValueError:
        is_fit = False
    if not is_fit:
        raise Unfit("It looks like clamd://host:3310, clamd:///run/clamav/clamd.ctl or icap://host:1344/service.")


SCANNER_URL: Setting[str] = declare(
    Setting(
        key="scanning.scanner_url",
        type=Annotated[str, msgspec.Meta(max_length=500)],
        default=lambda: str(settings.BITVAULT_SCANNER_URL),
        description=_(
            "Where the scanner for malware answers: clamd://host:3310, clamd:///run/clamd.ctl or icap://host/service. Empty: none."
        ),
        owner="Scanning",
        variable="BITVAULT_SCANNER_URL",
        check=_require_address,
    )
)

LARGEST_MIB: Setting[int] = declare(
    Setting(
        key="scanning.largest_mib",
        type=Annotated[int, msgspec.Meta(ge=1, le=1024 * 1024)],
        default=lambda: int(settings.BITVAULT_SCANNER_LARGEST_MIB),
        description=_(
            "The largest file in MiB that is sent to the scanner: not more than it looks at (clamd: StreamMaxLength, MaxFileSize)."
        ),
        owner="Scanning",
        variable="BITVAULT_SCANNER_LARGEST_MIB",
    )
)
