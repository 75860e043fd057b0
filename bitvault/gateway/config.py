"""What operators change of the gateway while it runs."""

from typing import Annotated

import msgspec
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from bitvault.kernel.config import Setting, declare

METRICS_KEY: Setting[str] = declare(
    Setting(
        key="gateway.metrics_key",
        type=Annotated[str, msgspec.Meta(min_length=16, max_length=200, pattern=r"^[!-~]+$")],
        default=lambda: str(settings.BITVAULT_METRICS_KEY),
        description=_(
            "What a scraper of /metrics has to know, as bearer token. Without one there is nothing at /metrics."
        ),
        owner="Gateway",
        variable="BITVAULT_METRICS_KEY",
        is_secret=True,
    )
)
