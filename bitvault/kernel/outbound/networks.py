"""Which networks inside may be reached on the way out: what operators change while everything runs."""

import ipaddress
from typing import Annotated

import msgspec
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from bitvault.kernel.config import Setting, Unfit, declare

Networks = tuple[str, ...]


def _require_networks(networks: Networks) -> None:
    for network in networks:
        try:
            ipaddress.ip_network(network)
        except ValueError as error:
            raise Unfit(f"{network} is no network: write it as 10.1.0.0/16 or fd00::/8") from error


NETWORKS: Setting[Networks] = declare(
    Setting(
        key="outbound.networks",
        type=Annotated[tuple[str, ...], msgspec.Meta(max_length=100)],
        default=lambda: tuple(settings.BITVAULT_WEBHOOK_NETWORKS),
        description=_(
            "Networks inside that webhooks may reach, besides the internet: whoever makes some in a vault can send requests there."
        ),
        owner="Webhooks",
        variable="BITVAULT_WEBHOOK_NETWORKS",
        check=_require_networks,
    )
)
