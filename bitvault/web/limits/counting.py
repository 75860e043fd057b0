"""Which cells a request takes: those of who asks, or of the address where nobody known does."""

from typing import Any

from django.http import HttpRequest
from django.utils.translation import ngettext
from prometheus_client import Counter

from bitvault.kernel.actor import Actor
from bitvault.kernel.errors import TooManyRequests
from bitvault.web.address import client_address
from bitvault.web.limits.cells import Key, Standing, cells
from bitvault.web.limits.policies import ADDRESS, FAILURES, TENANT, USER, Policy, RouteClass, find_policy

REFUSED = Counter("bitvault_requests_refused_total", "Requests refused by a limit", ["policy"])

Wanted = list[tuple[Policy, Key]]


def count_actor(request: HttpRequest, actor: Actor, route_class: RouteClass) -> None:
    """Count a request of somebody known by tenant, person, and credential and class of route.

    :raises TooManyRequests: one of them is used up.
    """
    tenant_id = actor.tenant.id
    credential_id = actor.token_id or actor.session_id
    wanted: Wanted = []
    for name, whom in ((route_class, credential_id), (USER, actor.user_id), (TENANT, tenant_id)):
        policy = find_policy(name, tenant_id=tenant_id)
        if policy is not None:
            wanted.append((policy, (name, tenant_id, whom)))
    _count(request, wanted)


def count_stranger(request: HttpRequest, route_class: RouteClass) -> None:
    """Count a request of nobody known by the address, and sign-in and public pages by their own limits besides.

    :raises TooManyRequests: one of them is used up.
    """
    if route_class is RouteClass.HEALTH:
        request.standing = None  # type: ignore[attr-defined] # counted as nothing
        return
    besides = [route_class] if route_class in (RouteClass.SIGN_IN, RouteClass.PUBLIC) else []
    _count(request, _cells_of_address(request, ADDRESS, *besides))


def charge_stranger(request: HttpRequest, *, failed: bool) -> None:
    """Count, after the answer, a stranger's request: one that no view has counted, and one that failed by a narrower limit besides."""
    names = [] if was_counted(request) else [ADDRESS]
    if failed:
        names.append(FAILURES)
    if names:
        cells.charge(_cells_of_address(request, *names))


def judge_address(request: HttpRequest) -> Standing | None:
    """Tell whether an address has used up what strangers may ask; counts nothing."""
    return cells.judge(_cells_of_address(request, ADDRESS, FAILURES))


def _cells_of_address(request: HttpRequest, *names: str) -> Wanted:
    address = client_address(request)
    found: Wanted = []
    for name in names:
        policy = find_policy(name)
        if policy is not None:
            found.append((policy, (name, None, address)))
    return found


def _count(request: HttpRequest, wanted: Wanted) -> None:
    standing = cells.take(wanted) if wanted else None
    request.standing = standing  # type: ignore[attr-defined] # told in the answer's headers by the middleware
    request.policies = [policy for policy, _ in wanted]  # type: ignore[attr-defined] # the same
    if standing is not None and standing.retry_after_seconds:
        raise refusal(standing)


def refusal(standing: Standing) -> TooManyRequests:
    """Make the refusal of a request that is over a limit, and count it."""
    REFUSED.labels(standing.policy.name).inc()
    seconds = standing.retry_after_seconds
    said = ngettext(
        "Too many requests. Try again in %(count)s second.",
        "Too many requests. Try again in %(count)s seconds.",
        seconds,
    )
    return TooManyRequests(said % {"count": seconds}, retry_after_seconds=seconds, policy=standing.policy.name)


def was_counted(request: Any) -> bool:
    """Tell whether a view has counted this request."""
    return hasattr(request, "standing")
