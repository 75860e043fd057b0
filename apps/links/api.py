"""The doors of links: those of who shares a node, and those of visitors, who have the end of an address and nothing else."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from apps.files.dtos import Content
from apps.links import counting, operations, queries, receiving, visits
from apps.links.dtos import (
    Admission,
    Link,
    LinkAccess,
    LinkItem,
    LinkPage,
    LinkWish,
    NewSubmission,
    PublicChildren,
    QrCode,
    ReceivedFile,
    Sending,
    SentFiles,
    SentItem,
    Unlocked,
)
from bitvault.kernel import db
from bitvault.kernel.actor import Actor, Scope
from bitvault.kernel.boundary import exposed
from bitvault.kernel.pages import PAGE_DEFAULT, Page
from bitvault.kernel.request import Visitor

# --- what a plan limits ------------------------------------------------------------------------------------------------------


@exposed
def count_links() -> int:
    """Count the links of the entered tenant that have not ended, file requests included: what its plan limits."""
    return queries.count_living()


# --- who shares ------------------------------------------------------------------------------------------------------------


@exposed
def list_links(*, actor: Actor, node_id: UUID) -> Page[Link]:
    """List the links of a node, oldest first, all in one page; for who may share it.

    :raises NotFound, Forbidden: the actor may not know of the node, or may not share it.
    """
    actor.require_scope(Scope.FILES_READ)
    operations.require_sharing(actor, node_id)
    with db.read_transaction():
        rows = queries.list_of_node(node_id)
    return Page([queries.to_link(row) for row in rows])


@exposed
def create_link(*, actor: Actor, node_id: UUID, wish: LinkWish) -> tuple[Link, str]:
    """Make a link on a node; returns it with the end of its address, which is told this once.

    :raises NotFound, Forbidden: the actor may not know of the node, or may not share it.
    :raises MoreThanOwn: the link gives what the actor lacks there.
    :raises PolicyForbids: the tenant's policies do not allow it.
    :raises LinkUnfit, SlugTaken, TooManyLinks, LinkLimitReached: there can be no such link.
    """
    actor.require_scope(Scope.FILES_WRITE)
    return operations.create(actor=actor, node_id=node_id, wish=wish)


@exposed
def change_link(*, actor: Actor, link_id: UUID, changes: dict[str, Any]) -> Link:
    """Change fields of a link: those of ``LinkWish`` but its slug, and ``ended=False``, which lets one go on that was ended.

    :raises NotFound: there is no such link on a node that the actor may know of; one that was ended can only go on.
    :raises Forbidden, MoreThanOwn, PolicyForbids, LinkUnfit: as ``create_link``.
    """
    actor.require_scope(Scope.FILES_WRITE)
    return operations.change(actor=actor, link_id=link_id, changes=changes)


@exposed
def end_link(*, actor: Actor, link_id: UUID) -> None:
    """End a link at once; ``change_link`` can take that back.

    :raises NotFound, Forbidden: there is none that the actor may end.
    """
    actor.require_scope(Scope.FILES_WRITE)
    operations.end(actor=actor, link_id=link_id)


@exposed
def list_my_links(*, actor: Actor, limit: int = PAGE_DEFAULT, cursor: str | None = None) -> Page[LinkItem]:
    """List the links that the actor has made, newest first.

    :raises LimitOutOfRange: ``limit`` is not between 1 and 1000.
    :raises BadCursor: the cursor belongs to another list.
    """
    actor.require_scope(Scope.FILES_READ)
    return queries.list_of_maker(actor, limit=limit, cursor=cursor)


@exposed
def draw_qr(*, actor: Actor, link_id: UUID, address: str) -> QrCode:
    """Draw the whole address of a link as a QR code; for who may share its node.

    :raises AddressUnknown: it is not the link's: this draws nothing else.
    :raises NotFound, Forbidden: as the others.
    """
    actor.require_scope(Scope.FILES_READ)
    return operations.draw(actor=actor, link_id=link_id, address=address)


@exposed
def list_accesses(
    *, actor: Actor, link_id: UUID, limit: int = PAGE_DEFAULT, cursor: str | None = None
) -> Page[LinkAccess]:
    """List what visitors did through a link, newest first; for who may share its node.

    :raises NotFound, Forbidden, LimitOutOfRange, BadCursor: as the others.
    """
    actor.require_scope(Scope.FILES_READ)
    operations.get(actor, link_id)
    return queries.list_accesses(actor, link_id, limit=limit, cursor=cursor)


@exposed
def list_received(
    *, actor: Actor, link_id: UUID, limit: int = PAGE_DEFAULT, cursor: str | None = None
) -> Page[ReceivedFile]:
    """List the files that have come through a link, newest first; for who may share its folder.

    :raises NotFound, Forbidden, LimitOutOfRange, BadCursor: as the others.
    """
    actor.require_scope(Scope.FILES_READ)
    operations.get(actor, link_id)
    return queries.list_received(link_id, limit=limit, cursor=cursor)


@exposed
def name_links(*, link_ids: Collection[UUID]) -> dict[UUID, str]:
    """Name links of the entered tenant where they stand for who has done something; those without a name are left out."""
    return queries.name_links(link_ids)


@exposed
def name_senders(*, node_ids: Collection[UUID]) -> dict[UUID, str]:
    """Name who has sent files through links, by the node: as they call themselves, or else the link; others are left out."""
    return queries.name_senders(node_ids)


# --- visitors --------------------------------------------------------------------------------------------------------------


@exposed
def open_page(
    *,
    token: str,
    unlock: str | None,
    visitor: Visitor,
    node_id: UUID | None = None,
    limit: int = PAGE_DEFAULT,
    cursor: str | None = None,
    is_noted: bool = True,
) -> LinkPage:
    """Show what a link leads to, or a folder below it; a link with a password shows nothing until it is given.

    :param is_noted: whether looking at the link's own node is written down as an access.

    :raises NotFound: no link has this address, or nothing below its node has this id.
    :raises LinkOver, LinkExpired, LinkUsedUp, LinkTargetGone, LinkNotStarted: it cannot be opened, or leads nowhere.
    """
    return visits.open_page(
        token=token,
        unlock=unlock,
        visitor=visitor,
        node_id=node_id,
        limit=limit,
        cursor=cursor,
        is_noted=is_noted,
    )


@exposed
def list_public_children(
    *,
    token: str,
    unlock: str | None,
    visitor: Visitor,
    node_id: UUID | None = None,
    limit: int = PAGE_DEFAULT,
    cursor: str | None = None,
) -> PublicChildren:
    """List what lies in the link's folder, or in one below it.

    :raises LinkLocked: the password was not given.
    :raises NotFound, LinkOver, LinkExpired, LinkUsedUp, LinkTargetGone, LinkNotStarted: as ``open_page``.
    :raises NotAFolder: the node is a file.
    """
    return visits.list_children(
        token=token, unlock=unlock, visitor=visitor, node_id=node_id, limit=limit, cursor=cursor
    )


@exposed
def unlock_link(*, token: str, password: str, visitor: Visitor) -> Unlocked:
    """Compare a password with the link's, and give the proof that it was right.

    :raises WrongPassword: it is not.
    :raises TooManyRequests: too many wrong ones for this link from this address.
    :raises NotFound, LinkOver, LinkExpired, LinkUsedUp, LinkNotStarted: as ``open_page``.
    """
    return visits.unlock(token=token, password=password, visitor=visitor)


@exposed
def admit(*, token: str, unlock: str | None, visitor: Visitor) -> Admission:
    """Let somebody in by a link, as an actor who reaches its node and what lies below.

    :raises LinkLocked: the password was not given.
    :raises NotFound, LinkOver, LinkExpired, LinkUsedUp, LinkNotStarted: as ``open_page``.
    """
    return visits.admit(token=token, unlock=unlock, visitor=visitor)


@exposed
def note_viewed(*, link_id: UUID, visitor: Visitor, node_id: UUID) -> None:
    """Write down that a visitor looks at a file below the link's node, as a further opening of the link."""
    visits.note_viewed(link_id=link_id, visitor=visitor, node_id=node_id)


@exposed
def count_download(*, link_id: UUID, visitor: Visitor, node_id: UUID, content: Content) -> None:
    """Write down that a visitor may fetch a version. It counts once for each visitor and version; over the limit it is refused.

    :raises LinkUsedUp: others have had all downloads that there are.
    :raises NotFound, LinkOver, LinkExpired, LinkNotStarted: the link cannot be opened any more.
    """
    counting.count_download(link_id=link_id, visitor=visitor, node_id=node_id, content=content)


@exposed
def require_download(*, link_id: UUID, visitor: Visitor, content: Content) -> None:
    """Refuse somebody whom ``count_download`` would refuse now; counts nothing.

    :raises LinkUsedUp, NotFound, LinkOver, LinkExpired, LinkNotStarted: as ``count_download``.
    """
    counting.require_download(link_id=link_id, visitor=visitor, content=content)


# --- visitors who send files -----------------------------------------------------------------------------------------------


@exposed
def begin_submission(*, token: str, unlock: str | None, visitor: Visitor, name: str, email: str) -> NewSubmission:
    """Begin a visit in which somebody sends files, and give the proof by which it is gone on with.

    :raises LinkTakesNothing: the link takes no files.
    :raises SenderUnfit: the request asks for a name or an address, and there is none.
    :raises TooManyRequests: too many visits from this address.
    :raises NotFound, LinkOver, LinkExpired, LinkNotStarted, LinkLocked: as ``admit``.
    """
    return receiving.begin(token=token, unlock=unlock, visitor=visitor, name=name, email=email)


@exposed
def admit_sender(*, token: str, unlock: str | None, submission_token: str | None, visitor: Visitor) -> Sending:
    """Let somebody go on with their visit, as an actor who adds to the link's folder and sees nothing of it.

    :raises SubmissionUnknown: no visit is proved, or it has ended.
    :raises NotFound, LinkOver, LinkExpired, LinkNotStarted, LinkLocked, LinkTakesNothing: as ``begin_submission``.
    """
    return receiving.admit(token=token, unlock=unlock, submission_token=submission_token, visitor=visitor)


@exposed
def find_editor(*, token: str, unlock: str | None, visitor: Visitor) -> Admission | None:
    """Let somebody in by a link that lets them edit; ``None`` where the link is of another kind.

    :raises NotFound, LinkOver, LinkExpired, LinkNotStarted, LinkUsedUp, LinkLocked: as ``admit``.
    """
    admitted = visits.admit(token=token, unlock=unlock, visitor=visitor)
    return admitted if admitted.kind == "edit" else None


@exposed
def plan_upload(*, sending: Sending, upload_id: UUID, name: str, size_bytes: int, folder: list[str]) -> UUID:
    """Judge a file by the limits of the request, and write it down as begun; returns the folder that it goes to, which is made.

    :param folder: names of the folders that it lies in at its sender's, topmost first.
    :raises TypeNotTaken, RequestFull: the request does not take it.
    :raises InvalidName: it, or a folder, cannot be called like this.
    :raises NotFound, LinkOver, LinkExpired: the link has ended, or its folder is gone.
    """
    return receiving.plan(sending=sending, upload_id=upload_id, name=name, size_bytes=size_bytes, folder=folder)


@exposed
def make_folder(*, sending: Sending, folder: list[str]) -> None:
    """Make a folder of a visit in which no file lies, by the names from the request's folder down.

    :raises InvalidName, SenderUnfit: a name is none, or they are too many.
    :raises RequestFull: the visit has made as many as it may.
    """
    receiving.make_folder(sending=sending, folder=folder)


@exposed
def require_own_upload(*, sending: Sending, upload_id: UUID) -> None:
    """Refuse an upload that is not of this visit.

    :raises NotFound: it is not.
    """
    receiving.require_own(sending=sending, upload_id=upload_id)


@exposed
def drop_upload(*, sending: Sending, upload_id: UUID) -> None:
    """Forget a file that will not come; the request takes another one in its place."""
    receiving.drop(sending=sending, upload_id=upload_id)


@exposed
def note_received(*, sending: Sending, upload_id: UUID, node_id: UUID) -> SentItem:
    """Write down that a file has come; a second time changes nothing."""
    return receiving.note_received(sending=sending, upload_id=upload_id, node_id=node_id)


@exposed
def list_sent(*, sending: Sending) -> SentFiles:
    """List what has come of one visit, oldest first."""
    return receiving.list_sent(sending=sending)


@exposed
def finish_submission(*, sending: Sending) -> SentFiles:
    """End a visit for now: its sender gets a receipt, those who share the folder a notice. More may be sent, and is told then."""
    receiving.finish(submission_id=sending.submission_id)
    return receiving.list_sent(sending=sending)
