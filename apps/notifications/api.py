"""The door of notifications: what somebody is told, how they want it, and what happened."""

from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from apps.files.dtos import NodeRef
from apps.notifications import browsers, dtos, leaving, operations, queries
from apps.notifications.judging import Told
from apps.notifications.queries import Happenings
from apps.notifications.recording import CONSUMER
from bitvault.kernel import db
from bitvault.kernel.actor import Actor, Scope
from bitvault.kernel.boundary import exposed
from bitvault.kernel.pages import PAGE_DEFAULT, Page

__all__ = ["CONSUMER", "list_notices", "open_notices"]


@exposed
def list_notices(
    *, actor: Actor, unread: bool = False, limit: int = PAGE_DEFAULT, cursor: str | None = None
) -> dtos.Notices:
    """List what the actor is told of and may see now, newest first; of several things in a row by one person in one place, once.

    :raises LimitOutOfRange: ``limit`` is not between 1 and 1000.
    :raises BadCursor: the cursor belongs to another list.
    """
    actor.require_scope(Scope.FILES_READ)
    found = queries.list_lines(actor, unread=unread, limit=limit, cursor=cursor)
    items = [dtos.Notice(**_facts(line.told), topic=line.topic, is_read=line.is_read) for line in found.items]
    return dtos.Notices(items, found.next_cursor, found.unread_count, found.as_of_seq)


@exposed
def open_notices(
    *, actor: Actor, unread: bool = False, limit: int = PAGE_DEFAULT, cursor: str | None = None
) -> dtos.Lines:
    """Read what a page of notices shows: as ``list_notices``, with sentences in pieces and where each leads."""
    actor.require_scope(Scope.FILES_READ)
    found = queries.list_lines(actor, unread=unread, limit=limit, cursor=cursor)
    items = [_to_line(line.told, is_unread=not line.is_read) for line in found.items]
    return dtos.Lines(items, found.next_cursor, found.unread_count)


@exposed
def mark_read(*, actor: Actor, ids: Collection[UUID] = (), up_to_id: UUID | None = None) -> int:
    """Mark notices as read: some, or one and all before it; returns how many are unread still.

    :raises NotFound: ``up_to_id`` is none.
    """
    if up_to_id is not None:
        return operations.mark_read_up_to(actor, up_to_id)
    return operations.mark_read(actor, ids)


@exposed
def get_preferences(*, actor: Actor) -> dtos.Preferences:
    """Tell how the actor is told of each topic, and when they get no mail."""
    with db.read_transaction():
        return queries.read_choices(actor.user_id)


@exposed
def set_preferences(
    *,
    actor: Actor,
    preferences: Sequence[dtos.Choice] = (),
    changes_quiet_hours: bool = False,
    quiet_hours: dtos.QuietHours | None = None,
) -> dtos.Preferences:
    """Say how the actor is told of some topics, and when they get no mail; what is not named stays as it is.

    A mail that would come in quiet hours waits, and is told with the others by one mail afterwards.

    :param quiet_hours: by the clock of the actor's time zone; ``None`` with ``changes_quiet_hours``: mails come at any time.
    :raises MailNotOffered: of a topic no mail is sent.
    :raises QuietHoursUnfit: quiet hours are no two times.
    """
    return operations.set_preferences(
        actor.user_id, preferences, changes_quiet_hours=changes_quiet_hours, quiet_hours=quiet_hours
    )


@exposed
def list_browsers(*, actor: Actor) -> dtos.Browsers:
    """List the browsers that the actor is told in by push, oldest first, all in one page; with the key that browsers subscribe with."""
    return browsers.list_of(actor)


@exposed
def add_browser(*, actor: Actor, target: dtos.PushTarget, agent: str) -> dtos.Browser:
    """Have the actor told in a browser by push; one that is known already is theirs from now on. Nothing is sent after a sign-out.

    :param agent: what the browser says of itself, for its name.
    :raises PushAddressUnfit: nothing is sent to its address, or its keys are none.
    :raises TooManyBrowsers: the actor has as many as one can have.
    :raises CredentialNarrowed: the actor's token is narrowed to a folder.
    """
    actor.require_scope(Scope.FILES_READ)
    return browsers.add(actor, target, agent=agent)


@exposed
def renew_browser(*, actor: Actor, browser_id: UUID, target: dtos.PushTarget, agent: str) -> dtos.Browser:
    """Go on telling the actor in a browser: they have signed in again, or its push service has given it another address.

    :raises NotFound: it is none of the actor's, or was removed.
    :raises PushAddressUnfit: nothing is sent to its address, or its keys are none.
    :raises CredentialNarrowed: the actor's token is narrowed to a folder.
    """
    actor.require_scope(Scope.FILES_READ)
    return browsers.renew(actor, browser_id, target, agent=agent)


@exposed
def remove_browser(*, actor: Actor, browser_id: UUID) -> None:
    """Tell the actor nothing in a browser any more.

    :raises NotFound: it is none of the actor's.
    """
    browsers.remove(actor, browser_id)


@exposed
def list_subscriptions(
    *, actor: Actor, node_id: UUID | None = None, limit: int = PAGE_DEFAULT, cursor: str | None = None
) -> Page[dtos.Subscription]:
    """List what the actor follows and mutes, newest first; of one node where it is named.

    :raises LimitOutOfRange: ``limit`` is not between 1 and 1000.
    :raises BadCursor: the cursor belongs to another list.
    """
    actor.require_scope(Scope.FILES_READ)
    return queries.list_subscriptions(actor, limit=limit, cursor=cursor, node_id=node_id)


@exposed
def subscribe(*, actor: Actor, node_id: UUID, channel: dtos.Channel = "all") -> dtos.Subscription:
    """Follow a node and all below it, or mute it (``none``); what was said of it before is replaced.

    :raises NotFound: there is no such node that the actor may know of.
    :raises TooManySubscriptions: the actor has as many as one can have.
    """
    actor.require_scope(Scope.FILES_READ)
    return operations.subscribe(actor, node_id, follows=channel == "all")


@exposed
def unsubscribe(*, actor: Actor, subscription_id: UUID) -> None:
    """Neither follow nor mute a node any more.

    :raises NotFound: it is none of the actor's.
    """
    operations.unsubscribe(actor, subscription_id)


@exposed
def find_stop(*, token: str) -> dtos.Topic | dtos.Gathered:
    """Tell which mails the address in a mail switches off: of a topic, or of all topics that such a mail gathers.

    :raises NotFound: the address was not made here.
    """
    return leaving.read(token)[1]


@exposed
def stop_mails(*, token: str) -> None:
    """Switch mails off by the address in one of them. Repeatable.

    :raises NotFound: the address was not made here.
    """
    user_id, what = leaving.read(token)
    operations.stop_mails(user_id, what)


@exposed
def list_node_activity(
    *, actor: Actor, node_id: NodeRef, limit: int = PAGE_DEFAULT, cursor: str | None = None
) -> dtos.Activity:
    """List what happened to a node, and below a folder, newest first, as far as the actor sees it now.

    :raises NotFound: there is no such node that the actor may know of.
    :raises LimitOutOfRange: ``limit`` is not between 1 and 1000.
    :raises BadCursor: the cursor belongs to another list.
    """
    actor.require_scope(Scope.FILES_READ)
    return _to_activity(queries.list_of_node(actor, node_id, limit=limit, cursor=cursor))


@exposed
def open_node_activity(
    *, actor: Actor, node_id: NodeRef, limit: int = PAGE_DEFAULT, cursor: str | None = None
) -> dtos.Lines:
    """Read what a page shows of what happened to a node: as ``list_node_activity``, with sentences in pieces.

    :raises NotFound: there is no such node that the actor may know of.
    :raises LimitOutOfRange: ``limit`` is not between 1 and 1000.
    :raises BadCursor: the cursor belongs to another list.
    """
    actor.require_scope(Scope.FILES_READ)
    found = queries.list_of_node(actor, node_id, limit=limit, cursor=cursor)
    return dtos.Lines([_to_line(told) for told in found.items], found.next_cursor)


@exposed
def list_activity(
    *, actor: Actor, whose: dtos.Whose = "me", limit: int = PAGE_DEFAULT, cursor: str | None = None
) -> dtos.Activity:
    """List what the actor did, or what happened in the whole tenant as far as an administrator sees it, newest first.

    :raises PermissionMissing: the actor does not see what others do.
    :raises LimitOutOfRange: ``limit`` is not between 1 and 1000.
    :raises BadCursor: the cursor belongs to another list.
    """
    actor.require_scope(Scope.FILES_READ)
    return _to_activity(queries.list_of(actor, whose, limit=limit, cursor=cursor))


@exposed
def open_activity(
    *, actor: Actor, whose: dtos.Whose = "me", limit: int = PAGE_DEFAULT, cursor: str | None = None
) -> dtos.Lines:
    """Read what a page of activity shows: as ``list_activity``, with sentences in pieces and where each leads."""
    actor.require_scope(Scope.FILES_READ)
    found = queries.list_of(actor, whose, limit=limit, cursor=cursor)
    return dtos.Lines([_to_line(told) for told in found.items], found.next_cursor)


def _to_line(told: Told, *, is_unread: bool = False) -> dtos.Line:
    return dtos.Line(
        id=told.entry.id,
        kind=told.entry.kind,  # type: ignore[arg-type] # the column holds no other
        pieces=told.pieces,
        path=told.path,
        occurred_at=told.occurred_at,
        is_unread=is_unread,
    )


def _to_activity(found: Happenings) -> dtos.Activity:
    return dtos.Activity([dtos.Happening(**_facts(told)) for told in found.items], found.next_cursor, found.as_of_seq)


def _facts(told: Told) -> dict[str, Any]:
    return {
        "id": told.entry.id,
        "kind": told.entry.kind,
        "text": told.text,
        "actor": told.actor,
        "node": told.node,
        "folder": told.folder,
        "count": told.count,
        "occurred_at": told.occurred_at,
    }
