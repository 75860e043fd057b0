"""Short ways to share in tests, and actors whose permissions are read whenever they are judged by.

A request's actor is filled once, by the gateway. Tests keep one actor over many calls.
"""

from dataclasses import replace
from uuid import UUID

from django.db import connection

from apps.files import api as files
from apps.sharing import api as sharing
from apps.sharing import sql
from apps.sharing.dtos import Grant, Principal
from bitvault.kernel import clock, db
from bitvault.kernel.actor import Actor
from bitvault.kernel.capabilities import Reach
from tests.support import ownership


class LiveReach:
    """What an actor may reach, asked of the database each time."""

    def __init__(self, actor: Actor) -> None:
        self._user_id = actor.user_id
        self._principal_ids = list(actor.principal_ids)
        self._known: tuple[object, Reach] | None = None

    def _read(self) -> Reach:
        if not getattr(connection, "is_rolled_back", False):
            return self._find()
        # Nobody else writes where a test is rolled back.
        state = (id(connection.atomic_blocks[0]), ownership.count_changes("sharing_permission", "sharing_left_share"))
        if self._known is None or self._known[0] != state:
            self._known = (state, self._find())
        return self._known[1]

    def _find(self) -> Reach:
        if db.find_open() is not None:
            return self._ask()
        with db.read_transaction():
            return self._ask()

    def _ask(self) -> Reach:
        with connection.cursor() as cursor:
            facts = {"user_id": self._user_id, "principal_ids": self._principal_ids, "now": clock.now()}
            cursor.execute(sql.REACH, facts)
            rows = cursor.fetchall()
        timed: dict[UUID, tuple[tuple[int, object], ...]] = {}
        for node_id, mask, expires_at in rows:
            if expires_at is not None:
                timed[node_id] = (*timed.get(node_id, ()), (mask, expires_at))
        return Reach({node_id: mask for node_id, mask, expires_at in rows if expires_at is None}, timed)

    def __bool__(self) -> bool:
        return bool(self._read())

    def at(self, node_id: UUID) -> int:
        return self._read().at(node_id)

    def list_node_ids(self) -> list[UUID]:
        return self._read().list_node_ids()


def live(actor: Actor) -> Actor:
    """Give an actor who always has the permissions of the moment."""
    return replace(actor, reach=LiveReach(actor))


def filled(actor: Actor) -> Actor:
    """Give an actor with the permissions of this moment, as the gateway does."""
    return replace(actor, reach=sharing.find_reach(actor=actor, fresh=True))


def grant(who: Actor | UUID | str, role: str, **more) -> Grant:
    """Make a grant to an actor, a user by id, or ``everyone``."""
    if who == "everyone":
        return Grant(principal=Principal(type="everyone"), role=role, **more)
    return Grant(principal=Principal(type="user", id=getattr(who, "user_id", who)), role=role, **more)


def share(actor: Actor, node, who, role: str, **more):
    """Share a node, besides the shares that it has."""
    return sharing.put_share(actor=filled(actor), node_id=getattr(node, "id", node), grant=grant(who, role, **more))


def share_only(actor: Actor, node, *grants: Grant):
    """Let a node have just these shares."""
    node_id = getattr(node, "id", node)
    return sharing.replace_shares(actor=filled(actor), node_id=node_id, grants=grants).items


def make_team(actor: Actor, name: str = "Design", *grants: Grant):
    """Make a team folder with shares."""
    folder = files.create_team_folder(actor=actor, name=name)
    share_only(actor, folder, *grants)
    return folder


def by_rest(who: str, role: str, **more) -> dict[str, object]:
    """Write a share as a request does: for a user by id, or for ``everyone``."""
    principal = {"type": "everyone"} if who == "everyone" else {"type": "user", "id": str(who)}
    return {"principal": principal, "role": role, **more}


def make_team_by_rest(client, name: str = "Design", *shares: dict[str, object]) -> dict[str, object]:
    """Make a team folder over REST, with shares."""
    made = client.post("/team-folders", {"name": name}).json()
    if shares:
        answer = client.put(f"/nodes/{made['id']}/shares", {"shares": list(shares)})
        assert answer.status_code == 200, answer.content
    return made
