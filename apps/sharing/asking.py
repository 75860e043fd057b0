"""Requests for access: somebody has the address of a node and no right to it, and asks whoever keeps it.

Asking does the same and answers the same whether there is such a node or not: the wish is written down, and a job looks for the node.
Nobody is told more than that they have asked until somebody answers; who is declined is told that by mail.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from apps.files import api as files
from apps.sharing import dtos, errors, messages, operations, queries
from apps.sharing.listing import to_shared_node
from apps.sharing.models import AccessRequest, RequestState
from bitvault.events.api import publish
from bitvault.events.catalog.sharing import AccessAnswered, AccessRequested
from bitvault.jobs import api as jobs
from bitvault.kernel import clock, db, ids
from bitvault.kernel.actor import Actor
from bitvault.kernel.capabilities import ROLES, RoleName, mask_of
from bitvault.kernel.errors import NotFound
from bitvault.mail import api as mail
from bitvault.web import throttle

ASK_JOB = "sharing.ask"

DECLINED_MAIL = "sharing.declined"
"""The mail to somebody whose request was declined; ``mails`` writes it."""

LIMIT = 100
"""Requests of one person in an hour: a mail full of addresses, and no good for trying ids."""

LISTED = 200
"""Requests of one list, newest first, and how many are looked at for it: who waits longer asks again."""

KEPT_FOR = timedelta(days=90)

_HOUR = 3600


class Ask(msgspec.Struct, frozen=True):
    """Which request a job takes to whoever can answer it."""

    request_id: UUID


def ask(*, actor: Actor, node_id: UUID, role: RoleName, message: str) -> None:
    """Write down that somebody asks; who asks again for the same node says it anew.

    :raises AccessHeld: they have all that they ask for.
    :raises MessageUnfit: the message is too long, or holds control characters.
    :raises TooManyRequests: they have asked too often.
    """
    said = messages.read(message)
    throttle.take("access-request", [actor.user_id], limit=LIMIT, per_seconds=_HOUR, guards_secret=False)
    if not ROLES[role] & ~_find_mask(actor, node_id):
        raise errors.AccessHeld(role=role)
    now = clock.now()
    with db.write_transaction():
        AccessRequest.objects.bulk_create(
            [
                AccessRequest(
                    id=ids.new_id(), node_id=node_id, user_id=actor.user_id, asked_at=now, state=RequestState.DECLINED
                )
            ],
            ignore_conflicts=True,
        )
        row = AccessRequest.objects.select_for_update().get(node_id=node_id, user_id=actor.user_id)
        if row.state != RequestState.OPEN:
            row.state = RequestState.ASKED
        row.role, row.message, row.asked_at = role, said, now
        row.save(update_fields=["role", "message", "state", "asked_at"])
        jobs.enqueue(ASK_JOB, Ask(request_id=row.id), key=f"{row.id.hex}:{now.isoformat()}", by=jobs.SYSTEM)


def _find_mask(actor: Actor, node_id: UUID) -> int:
    try:
        return mask_of(files.get_node(actor=actor, node_id=node_id).capabilities)
    except NotFound:
        return 0


def take_on(request_id: UUID, run: jobs.Run) -> bool:
    """Open a request whose node there is, and tell the stream; returns whether it did. One for nothing stays as it is."""
    with db.read_transaction():
        row = AccessRequest.objects.filter(id=request_id, state=RequestState.ASKED).first()
    keeper = None if row is None else files.find_keeper(node_id=row.node_id)
    if row is None or keeper is None:
        return False
    with db.write_transaction():
        run.complete(True)  # noqa: FBT003 - the result of the job
        opened = AccessRequest.objects.filter(id=request_id, state=RequestState.ASKED).update(state=RequestState.OPEN)
        if opened:
            publish(
                AccessRequested(
                    actor_id=row.user_id,
                    request_id=row.id,
                    node_id=row.node_id,
                    keeper_id=keeper.owner_id,
                    role=row.role,
                )
            )
    return True


def list_open(actor: Actor) -> list[dtos.AccessRequest]:
    """List the open requests that an actor can answer, newest first: for nodes that they may share."""
    with db.read_transaction():
        rows = list(AccessRequest.objects.filter(state=RequestState.OPEN).order_by("-asked_at", "-id")[:LISTED])
    return _describe(actor, rows)


def count_open(actor: Actor) -> int:
    """Count them."""
    return len(list_open(actor))


def _describe(actor: Actor, rows: list[AccessRequest]) -> list[dtos.AccessRequest]:
    """Give those requests whose node an actor may share, and whose person is still in the tenant."""
    if not rows:
        return []
    found = files.list_nodes(actor=actor, node_ids={row.node_id for row in rows})
    nodes = {node.id: node for node in found if "share" in node.capabilities}
    people = queries.describe_people(actor.tenant, {row.user_id for row in rows if row.node_id in nodes})
    return [
        dtos.AccessRequest(
            id=row.id,
            node=to_shared_node(nodes[row.node_id]),
            requester=people[row.user_id],
            role=row.role,  # type: ignore[arg-type] # the column holds no other
            message=row.message,
            asked_at=row.asked_at,
        )
        for row in rows
        if row.node_id in nodes and row.user_id in people
    ]


def answer(
    *, actor: Actor, request_id: UUID, granted: bool, role: RoleName | None, expires_at: datetime | None
) -> dtos.AccessRequest:
    """Give what somebody asks for, or another role, or decline it.

    :raises NotFound: there is no open request that the actor could answer.
    """
    with db.read_transaction():
        row = AccessRequest.objects.filter(id=request_id, state=RequestState.OPEN).first()
    described = [] if row is None else _describe(actor, [row])
    if row is None or not described:
        raise NotFound
    (request,) = described
    share = None
    if granted:
        wish = dtos.Grant(
            principal=dtos.Principal(type="user", id=row.user_id), role=role or request.role, expires_at=expires_at
        )
        share = operations.put(actor=actor, node_id=row.node_id, grant=wish)
    with db.write_transaction():
        changed = AccessRequest.objects.filter(id=request_id, state=RequestState.OPEN).update(
            state=RequestState.GRANTED if granted else RequestState.DECLINED,
            answered_by=actor.user_id,
            answered_at=clock.now(),
        )
        if not changed:
            raise NotFound  # somebody else was quicker
        if not granted:  # who is given something is told by the mail of the share
            mail.send(DECLINED_MAIL, reference=row.id)
        publish(
            AccessAnswered(
                actor_id=actor.user_id,
                request_id=row.id,
                node_id=row.node_id,
                user_id=row.user_id,
                granted=granted,
            )
        )
    return request if share is None else replace(request, share_id=share.id)


def sweep() -> int:
    """Forget requests that nobody has asked again for 90 days; returns how many."""
    with db.write_transaction():
        return AccessRequest.objects.filter(asked_at__lt=clock.now() - KEPT_FOR).delete()[0]
