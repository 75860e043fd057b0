"""What operators change of administration while it runs: where the audit logs of all tenants are sent on to."""

from typing import Annotated

import msgspec
from django.utils.translation import gettext_lazy as _

from apps.admin_platform import siem_targets
from bitvault.kernel.config import Setting, Unfit, declare
from bitvault.kernel.outbound.addresses import Refused


def _require_target(url: str) -> None:
    if not url:
        return
    try:
        siem_targets.parse(url)
    except Refused as error:
        raise Unfit("write it as https://host/path, syslog+tls://host:6514 or syslog+tcp://host:514") from error


SIEM_URL: Setting[str] = declare(
    Setting(
        key="audit.siem_url",
        type=Annotated[str, msgspec.Meta(max_length=2000)],
        default=lambda: "",
        description=_(
            "Where the audit logs of all vaults are sent on to, without payloads; it may be inside. Empty: nowhere."
        ),
        owner="Administration",
        check=_require_target,
    )
)

SIEM_TOKEN: Setting[str] = declare(
    Setting(
        key="audit.siem_token",
        type=Annotated[str, msgspec.Meta(max_length=2000, pattern="^[!-~]*$")],
        default=lambda: "",
        description=_("What is sent to an HTTPS collector as Authorization: Bearer."),
        owner="Administration",
        is_secret=True,
    )
)
