"""Stripe, by its own library: the key, the address and the deadlines are ours, retries and signatures are the library's.

What a notice says of its object is not believed but asked for anew, so that doubled, late and mixed-up notices do no harm, and another
version of Stripe's interface in the webhook's settings does not either.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, cast

import msgspec
import stripe

from apps.billing.payment.port import Notice, NoticeUnproved, Price, ProviderRefused, ProviderSilent, Subscription
from bitvault.kernel import clock, db, deadlines

CONNECT_SECONDS = 3.05
ANSWER_SECONDS = 8.0
PATIENT_ANSWER_SECONDS = 20.0
"""Somebody waits for the first in their browser, and nobody for the second."""

RETRIES = 1
PATIENT_RETRIES = 2

TOLERANCE_SECONDS = 300
"""How old a signature may be: Stripe signs each try anew."""

LISTED = 20
"""Subscriptions of a customer that are looked at; the ended ones among them are old."""

_STATUSES = {
    "active": "active",
    "trialing": "active",
    "past_due": "overdue",
    "unpaid": "overdue",
    "paused": "overdue",
    "incomplete": "unfinished",
    "incomplete_expired": "ended",
    "canceled": "ended",
}
_ORDER = ("active", "overdue", "unfinished", "ended")

_RELEVANT = ("customer.subscription.", "checkout.session.", "invoice.paid", "invoice.payment_", "invoice.marked_")


class _About(msgspec.Struct):
    object: str = ""
    id: str = ""
    customer: Any = None


class _Data(msgspec.Struct):
    object: _About


class _Event(msgspec.Struct):
    """What is read of a notice."""

    id: str
    type: str
    created: int
    data: _Data


class Stripe:
    """The adapter."""

    name = "stripe"

    def __init__(self, *, key: str, webhook_secret: str, url: str) -> None:
        self._key, self._url = key, url
        self._webhook_secrets = tuple(filter(None, webhook_secret.split(",")))

    def create_customer(self, *, tenant_id: str, name: str, key: str) -> str:
        with self._asking() as api:
            made = api.v1.customers.create(
                {"name": name, "metadata": {"tenant_id": tenant_id}}, {"idempotency_key": key}
            )
        return made.id

    def find_subscription(self, customer_id: str) -> Subscription | None:
        with self._asking() as api:
            listed = api.v1.subscriptions.list({"customer": customer_id, "status": "all", "limit": LISTED}).data
        found = sorted(
            (_to_subscription(one) for one in sorted(listed, key=lambda one: one.created, reverse=True)),
            key=lambda one: _ORDER.index(one.status),
        )
        if not found:
            return None
        return replace(found[0], others_count=sum(one.is_live for one in found[1:]))

    def start_checkout(
        self, *, customer_id: str, prices: Sequence[Price], back_url: str, language: str, key: str
    ) -> str:
        with self._asking() as api:
            sessions = api.v1.checkout.sessions
            for earlier in sessions.list({"customer": customer_id, "status": "open", "limit": LISTED}).data:
                sessions.expire(earlier.id)
            made = sessions.create(
                cast(
                    "Any",
                    {
                        "mode": "subscription",
                        "customer": customer_id,
                        "line_items": [_to_item(price) for price in prices],
                        "success_url": f"{back_url}?payment=done",
                        "cancel_url": f"{back_url}?payment=canceled",
                        "locale": language,
                        # Months of the subscription are those of statements.
                        "subscription_data": {"billing_cycle_anchor": _next_month()},
                    },
                ),
                {"idempotency_key": key},
            )
        return made.url or ""

    def change_plan(self, *, subscription_id: str, prices: Sequence[Price], key: str) -> None:
        with self._asking() as api:
            present = api.v1.subscriptions.retrieve(subscription_id)
            wanted = {price.price_id: price for price in prices}
            items: list[Any] = [
                {"id": item.id, "deleted": True}
                for item in present["items"].data
                if wanted.pop(item.price.id, None) is None
            ]
            items += [_to_item(price) for price in wanted.values()]
            if not items:
                return
            api.v1.subscriptions.update(
                subscription_id,
                cast(
                    "Any",
                    {"items": items, "proration_behavior": "create_prorations", "cancel_at_period_end": False},
                ),
                {"idempotency_key": key},
            )

    def open_portal(self, *, customer_id: str, back_url: str, language: str) -> str:
        with self._asking() as api:
            made = api.v1.billing_portal.sessions.create(
                cast("Any", {"customer": customer_id, "return_url": back_url, "locale": language})
            )
        return made.url

    def report_usage(self, *, event_name: str, customer_id: str, amount: int, at: datetime, key: str) -> None:
        with self._asking() as api:
            try:
                api.v1.billing.meter_events.create(
                    {
                        "event_name": event_name,
                        "identifier": key,
                        "timestamp": int(at.timestamp()),
                        "payload": {"stripe_customer_id": customer_id, "value": str(amount)},
                    },
                    {"idempotency_key": key},
                )
            except stripe.InvalidRequestError as error:
                if "identifier" in str(error.user_message) and "already exists" in str(error.user_message):
                    return
                raise

    def end_subscriptions(self, customer_id: str) -> None:
        with self._asking() as api:
            for session in api.v1.checkout.sessions.list({"customer": customer_id, "status": "open"}).data:
                api.v1.checkout.sessions.expire(session.id)
            for one in api.v1.subscriptions.list({"customer": customer_id, "limit": LISTED}).data:
                api.v1.subscriptions.cancel(one.id, {"prorate": True}, {"idempotency_key": f"end:{one.id}"})

    def check(self, price_ids: Sequence[str]) -> Sequence[str]:
        missing = []
        with self._asking() as api:
            api.v1.subscriptions.list({"limit": 1})
            for price_id in price_ids:
                try:
                    price = api.v1.prices.retrieve(price_id)
                except stripe.InvalidRequestError:
                    missing.append(price_id)
                else:
                    missing += [] if price.active else [price_id]
        return missing

    def read_notice(self, body: bytes, signature: str) -> Notice:
        if not any(_is_signed(body, signature, secret) for secret in self._webhook_secrets):
            raise NoticeUnproved
        try:
            return _to_notice(msgspec.json.decode(body, type=_Event))
        except (msgspec.MsgspecError, ValueError, OverflowError, OSError, RecursionError) as error:
            raise NoticeUnproved from error

    @contextmanager
    def _asking(self) -> Iterator[stripe.StripeClient]:
        """Give the client; its errors become the port's, without what they quote."""
        db.forbid_transaction("asking Stripe")
        try:
            yield _client(self._key, self._url, is_patient=deadlines.is_background())
        except (stripe.APIConnectionError, stripe.RateLimitError, stripe.IdempotencyError) as error:
            raise ProviderSilent(_say(error)) from None
        except stripe.StripeError as error:
            if error.http_status is None or error.http_status >= 500:  # noqa: PLR2004 - the server's own failures
                raise ProviderSilent(_say(error)) from None
            raise ProviderRefused(_say(error)) from None


@lru_cache(maxsize=8)
def _client(key: str, url: str, *, is_patient: bool) -> stripe.StripeClient:
    stripe.enable_telemetry = False
    seconds = PATIENT_ANSWER_SECONDS if is_patient else ANSWER_SECONDS
    return stripe.StripeClient(
        key,
        base_addresses={"api": url},
        max_network_retries=PATIENT_RETRIES if is_patient else RETRIES,
        http_client=stripe.RequestsClient(timeout=(CONNECT_SECONDS, seconds)),
    )


def _say(error: stripe.StripeError) -> str:
    """Say what went wrong without what Stripe quotes of the request, which may be of a person."""
    parts = (type(error).__name__, str(error.http_status or ""), str(error.code or ""), str(error.request_id or ""))
    return " ".join(filter(None, parts))


def _to_item(price: Price) -> dict[str, Any]:
    return {"price": price.price_id} if price.is_metered else {"price": price.price_id, "quantity": 1}


def _is_signed(body: bytes, signature: str, secret: str) -> bool:
    try:
        return bool(stripe.WebhookSignature.verify_header(body, signature, secret, TOLERANCE_SECONDS))
    except (stripe.SignatureVerificationError, UnicodeError, ValueError):
        return False


def _to_subscription(found: stripe.Subscription) -> Subscription:
    items = found["items"].data
    ends = max((item.current_period_end for item in items), default=None)
    return Subscription(
        id=found.id,
        # A word that is new: nothing is taken away because of it.
        status=_STATUSES.get(found.status, "unfinished"),
        word=found.status,
        price_ids=tuple(item.price.id for item in items),
        period_ends_at=_moment(ends),
        cancels_at=_moment(found.cancel_at or (ends if found.cancel_at_period_end else None)),
    )


def _to_notice(event: _Event) -> Notice:
    about = event.data.object
    customer_id = about.id if about.object == "customer" else about.customer
    return Notice(
        id=_shorten(event.id),
        kind=_shorten(event.type)[:100],
        is_relevant=event.type.startswith(_RELEVANT),
        customer_id=_shorten(customer_id if isinstance(customer_id, str) else ""),
        object_id=_shorten(about.id),
        occurred_at=datetime.fromtimestamp(event.created, tz=UTC),
    )


def _shorten(text: str) -> str:
    return text[:255].replace("\x00", "")


def _moment(seconds: int | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, tz=UTC)


def _next_month() -> int:
    first = clock.now().replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return int(first.replace(year=first.year + first.month // 12, month=first.month % 12 + 1).timestamp())
