"""The port: what billing asks of whoever collects payment. An adapter speaks the provider's own words, and nobody else here does.

Every call has a deadline and is made outside of transactions; one that changes something there carries a key, so that a repeated one has
its effect once.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


class ProviderFailed(Exception):
    """A call had no good answer. The text is for operators: it has no secret and no name of a person."""


class ProviderRefused(ProviderFailed):
    """The provider has answered, and does not do it: asked again it would not either."""


class ProviderSilent(ProviderFailed):
    """Nobody knows whether the provider has done it."""


class NoticeUnproved(Exception):
    """What came is no notice of the provider's: the signature is another's, or an old one; or it cannot be read."""


@dataclass(frozen=True, slots=True)
class Subscription:
    """A subscription as it stands at the provider. ``status`` is ``active``, ``overdue``, ``ended`` or ``unfinished``."""

    id: str
    status: str
    word: str
    """What the provider calls that."""
    price_ids: Sequence[str]
    period_ends_at: datetime | None
    cancels_at: datetime | None
    others_count: int = 0
    """How many more of the customer's are not ended: there should be none."""

    @property
    def is_live(self) -> bool:
        """Whether something is charged by it, or would be."""
        return self.status in ("active", "overdue")


@dataclass(frozen=True, slots=True)
class Notice:
    """What the provider says has happened; who wants to know more asks."""

    id: str
    kind: str
    is_relevant: bool
    """Whether something may follow from it for a subscription."""
    customer_id: str
    object_id: str
    occurred_at: datetime


@dataclass(frozen=True, slots=True)
class Price:
    """A price of a plan: of the month, or of what is used."""

    price_id: str
    is_metered: bool


class Provider(Protocol):
    """Who collects payment.

    All methods but ``read_notice`` raise ``ProviderRefused`` and ``ProviderSilent``.
    """

    name: str

    def create_customer(self, *, tenant_id: str, name: str, key: str) -> str:
        """Make a customer for a tenant; returns the id."""

    def find_subscription(self, customer_id: str) -> Subscription | None:
        """Ask for the customer's subscription: the one that matters most, if it has had several."""

    def start_checkout(
        self, *, customer_id: str, prices: Sequence[Price], back_url: str, language: str, key: str
    ) -> str:
        """Give the address where somebody pays for a new subscription; earlier such addresses of the customer are closed."""

    def change_plan(self, *, subscription_id: str, prices: Sequence[Price], key: str) -> None:
        """Let a subscription have these prices and no others; what is left of the month is settled by the provider."""

    def open_portal(self, *, customer_id: str, back_url: str, language: str) -> str:
        """Give the address where somebody changes the payment method, reads invoices and cancels."""

    def report_usage(self, *, event_name: str, customer_id: str, amount: int, at: datetime, key: str) -> None:
        """Add usage; with the same key within a day it is added once."""

    def end_subscriptions(self, customer_id: str) -> None:
        """End whatever the customer has, at once: the tenant is gone."""

    def check(self, price_ids: Sequence[str]) -> Sequence[str]:
        """Ask whether the account answers; returns those of the prices that it does not have, or has no more."""

    def read_notice(self, body: bytes, signature: str) -> Notice:
        """Read what came to the webhook's address.

        :raises NoticeUnproved: it is not from the provider, or not from now.
        """
