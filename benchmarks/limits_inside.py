"""The part of the measurements of limits that runs inside BitVault's environment."""

import io
import statistics
import time
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

REQUESTS = 400
ROUNDS = 9


def neighbour(password: str) -> dict[str, str]:
    """Make another tenant than the demo's, and a token of its owner."""
    from apps.identity import api
    from bitvault.kernel import clock, tenancy
    from bitvault.kernel.actor import ALL_SCOPES, Actor, Role
    from bitvault.kernel.tenancy import Tenant

    email = f"owner@neighbour-{time.time_ns()}.example"
    slug = f"neighbour-{time.time_ns()}"
    made = api.create_tenant(slug=slug, name="Neighbour", owner_email=email, owner_password=password)
    tenant = Tenant(id=made.id, slug=made.slug, name=made.name)
    with tenancy.entered(tenant):
        signed_in = api.sign_in(email=email, password=password, tenant=tenant, address="127.0.0.1")
        actor = Actor(tenant=tenant, user_id=signed_in.user_id, role=Role.OWNER)
        token = api.create_token(
            actor=actor, name="bench", scopes=ALL_SCOPES, expires_at=clock.now() + timedelta(days=1)
        )
    return {"token": token.token}


def cost(token: str) -> dict[str, float]:
    """Read a node again and again, with limits and without by turns; gives the CPU milliseconds of one."""
    from django.conf import settings

    from bitvault.gateway.wsgi import application
    from bitvault.web.limits import fair_shares, policies

    wide = dict.fromkeys(policies.DEFAULTS, (10000000, 1))
    found: dict[str, list[float]] = {"with": [], "without": []}
    for number in range(2 * (ROUNDS + 1)):
        name = ("with", "without")[number % 2]
        settings.BITVAULT_LIMITS = wide if name == "with" else None
        policies.forget()
        fair_shares.forget()
        _ask(application, token, 20)
        begun = time.process_time()
        _ask(application, token, REQUESTS)
        if number > 1:  # the first round warms up
            found[name].append((time.process_time() - begun) / REQUESTS * 1000)
    return {name: statistics.median(values) for name, values in found.items()}


def _ask(application: Any, token: str, count: int) -> None:
    for _ in range(count):
        environ = {
            "REQUEST_METHOD": "GET",
            "PATH_INFO": "/api/v1/nodes/root",
            "QUERY_STRING": "",
            "SERVER_NAME": "127.0.0.1",
            "SERVER_PORT": "80",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "HTTP_HOST": "127.0.0.1",
            "HTTP_AUTHORIZATION": f"Bearer {token}",
            "REMOTE_ADDR": "127.0.0.1",
            "wsgi.input": io.BytesIO(),
            "wsgi.url_scheme": "http",
            "wsgi.errors": io.StringIO(),
        }
        statuses: list[str] = []
        answer: Iterable[bytes] = application(
            environ, lambda status, _headers, statuses=statuses: statuses.append(status)
        )
        b"".join(answer)
        assert statuses[0].startswith("200"), statuses
        close = getattr(answer, "close", None)
        if close is not None:
            close()
