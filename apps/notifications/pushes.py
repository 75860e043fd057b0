"""What is pushed: who has browsers for it and wants it, and the jobs that send it, one for each browser."""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from apps.notifications.dtos import Topic
from apps.notifications.models import Browser, Delivery, Preference
from apps.notifications.topics import USUAL
from bitvault.jobs import api as jobs

KIND = "notifications.push"


class Push(msgspec.Struct, frozen=True):
    """What is to be sent to a browser, and the how manieth try it is, from 0."""

    delivery_id: UUID
    browser_id: UUID
    number: int = 0


def find_reached(user_ids: Collection[UUID]) -> list[UUID]:
    """Find who of some people is told in a browser by push, inside the open transaction."""
    rows = Browser.objects.filter(user_id__in=user_ids).order_by("user_id")
    return list(rows.values_list("user_id", flat=True).distinct())


def is_wanted(chosen: Preference | None, topic: Topic) -> bool:
    """Tell whether somebody wants a topic pushed who has chosen this."""
    return USUAL[topic].push if chosen is None or chosen.push is None else chosen.push


def send_all(deliveries: Sequence[Delivery]) -> None:
    """Have deliveries sent to all browsers of their people, in the open write transaction."""
    browsers: dict[UUID, list[UUID]] = {}
    rows = (
        Browser.objects.filter(user_id__in={one.user_id for one in deliveries})
        if deliveries
        else Browser.objects.none()
    )
    for user_id, browser_id in rows.values_list("user_id", "id"):
        browsers.setdefault(user_id, []).append(browser_id)
    wanted = [Push(one.id, browser_id) for one in deliveries for browser_id in browsers.get(one.user_id, ())]
    jobs.enqueue_all(KIND, {_key(one): one for one in wanted}, by=jobs.SYSTEM)


def try_again(push: Push, *, at: datetime) -> None:
    """Have the next try made later, in the open write transaction that ends this one."""
    following = msgspec.structs.replace(push, number=push.number + 1)
    jobs.enqueue(KIND, following, key=_key(following), by=jobs.SYSTEM, run_at=at)


def _key(push: Push) -> str:
    return f"{push.delivery_id.hex}:{push.browser_id.hex}:{push.number}"
