"""What those do who send files through a link: they begin a visit, are told the limits before a byte moves, and send.

A file is a row from the moment that its upload begins, written while the link's row is locked: so of any number who send at once, no more
is begun than the request takes. The link's rules are judged at the start and again at each later step, the commit above all.
"""

from datetime import timedelta
from uuid import UUID

import msgspec
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db.models import Count, F, Q, Sum
from django.db.models.functions import Coalesce
from django.utils.translation import get_language

from apps.files import api as files
from apps.files.api import rules as file_rules
from apps.links import admission, credentials, dtos, errors, requests
from apps.links.models import FileRequest, Link, LinkKind, SentFile, SentFolder, Submission
from bitvault.events.api import publish
from bitvault.events.catalog.links import FileReceived, SubmissionFinished
from bitvault.jobs import api as jobs
from bitvault.kernel import clock, db, ids, names
from bitvault.kernel.errors import NotFound, TooManyRequests
from bitvault.kernel.request import Visitor
from bitvault.mail import api as mail
from bitvault.web import throttle

RECEIPT_MAIL = "links.receipt"
FINISH_JOB = "links.finish_submission"

VISITS_LIMIT = 60
"""Visits to one link from one address in an hour: an office sends more than one household."""

RECEIPTS_LIMIT = 10
"""Mails to one address in a day, whoever causes them: it is not proved."""

ADDRESS_LIMIT = 254
"""Characters of an e-mail address (RFC 5321)."""

FOLDERS_LIMIT = 1000
"""Folders of one visit that are made for themselves: a tree of a project, and no good for filling a vault's list."""

DEPTH_LIMIT = 32
"""Folders above a file that a visitor sends."""

UNFINISHED_AFTER = timedelta(hours=1)
"""When a visit is over that nobody has ended: its files are told of."""

_HOUR, _DAY = 3600, 86400


class FinishSubmission(msgspec.Struct, frozen=True):
    """Which visit is to be told of."""

    submission_id: UUID


def describe(row: Link) -> dtos.PublicRequest:
    """Give a request as its senders see it."""
    request = row.request
    left = None
    if request.max_total_bytes is not None:
        with db.read_transaction():
            left = max(request.max_total_bytes - _sum_begun(row.id), 0)
    rules = file_rules.get_rules(actor=admission.actor_of(row), node_id=row.node_id).in_force
    sizes = [size for size in (request.max_file_bytes, rules.largest_file_bytes) if size is not None]
    return dtos.PublicRequest(
        title=request.title,
        text=request.text,
        deadline=request.deadline,
        is_late=requests.is_late(request),
        ask_name=request.ask_name,
        ask_email=request.ask_email,
        max_file_bytes=min(sizes, default=None),
        max_files=request.max_files,
        left_bytes=left,
        accepts=request.accepts,
        allowed_extensions=rules.allowed_extensions,
        refused_extensions=rules.refused_extensions,
    )


def begin(*, token: str, unlock: str | None, visitor: Visitor, name: str, email: str) -> dtos.NewSubmission:
    """Begin a visit: who sends is asked once."""
    row = _find(token, unlock, visitor)
    throttle.take("link-visit", [row.id, visitor.address], limit=VISITS_LIMIT, per_seconds=_HOUR, guards_secret=False)
    submission = Submission(
        id=ids.new_id(),
        link_id=row.id,
        sender_name=_read_name(row.request, name),
        sender_email=_read_email(row.request, email),
        locale=get_language() or "",
        started_at=clock.now(),
    )
    with db.write_transaction():
        submission.save(force_insert=True)
    submission_token, expires_at = credentials.make_submission_token(row.id, submission.id)
    return dtos.NewSubmission(submission_token=submission_token, expires_at=expires_at)


def admit(*, token: str, unlock: str | None, submission_token: str | None, visitor: Visitor) -> dtos.Sending:
    """Let somebody go on with their visit."""
    row = _find(token, unlock, visitor)
    submission_id = credentials.read_submission_token(submission_token, row.id)
    if submission_id is None:
        raise errors.SubmissionUnknown
    return dtos.Sending(link_id=row.id, submission_id=submission_id, actor=admission.actor_of(row))


def plan(*, sending: dtos.Sending, upload_id: UUID, name: str, size_bytes: int, folder: list[str]) -> UUID:
    """Judge a file by the limits of the request and write it down as begun; returns the folder into which it goes."""
    name = names.parse(name).text
    path = _read_path(folder)
    with admission.naming_maker() as looked_at, db.write_transaction():
        row = _lock(sending.link_id)
        looked_at.append(row)
        admission.require_open(row, used_up=False)
        requests.require_taken(row, row.request, name=name, size_bytes=size_bytes)
        _require_room(row.request, sending, size_bytes)
        SentFile.objects.create(
            id=upload_id,
            submission_id=sending.submission_id,
            link_id=row.id,
            name=name,
            size_bytes=size_bytes,
            started_at=clock.now(),
        )
    try:
        return _ensure_path(row, sending, path)
    except Exception:
        drop(sending=sending, upload_id=upload_id)
        raise


def make_folder(*, sending: dtos.Sending, folder: list[str]) -> None:
    """Make a folder in which no file lies, with those that it lies in; one that this visit has made already is no second one.

    :raises InvalidName, SenderUnfit: a name is none, or they are too many.
    :raises RequestFull: this visit has made as many folders as it may.
    """
    path = _read_path(folder)
    with admission.naming_maker() as looked_at, db.write_transaction():
        row = _lock(sending.link_id)
        looked_at.append(row)
        admission.require_open(row, used_up=False)
        if SentFolder.objects.filter(submission_id=sending.submission_id).count() >= FOLDERS_LIMIT:
            raise errors.RequestFull("No more folders are taken.", limit="folders", allowed=FOLDERS_LIMIT)
    _ensure_path(row, sending, path)


def require_own(*, sending: dtos.Sending, upload_id: UUID) -> None:
    """Refuse an upload that is not of this visit.

    :raises NotFound: it is not.
    """
    with db.read_transaction():
        if not SentFile.objects.filter(id=upload_id, submission_id=sending.submission_id).exists():
            raise NotFound


def drop(*, sending: dtos.Sending, upload_id: UUID) -> None:
    """Forget a file that will not come; one that has come stays."""
    with db.write_transaction():
        SentFile.objects.filter(id=upload_id, submission_id=sending.submission_id, node_id=None).delete()


def note_received(*, sending: dtos.Sending, upload_id: UUID, node_id: UUID) -> dtos.SentItem:
    """Write down that a file has come; a second time changes nothing."""
    with db.write_transaction():
        row = SentFile.objects.select_for_update().get(id=upload_id, submission_id=sending.submission_id)
        if row.node_id is None:
            row.node_id, row.sent_at = node_id, clock.now()
            row.save(update_fields=["node_id", "sent_at"])
            FileRequest.objects.filter(link_id=row.link_id).update(
                received_count=F("received_count") + 1, received_bytes=F("received_bytes") + row.size_bytes
            )
            _finish_later(sending.submission_id)
            publish(
                FileReceived(
                    link_id=row.link_id,
                    submission_id=row.submission_id,
                    node_id=node_id,
                    size_bytes=row.size_bytes,
                    actor_id=row.link_id,
                )
            )
    return _to_item(row)


def list_sent(*, sending: dtos.Sending) -> dtos.SentFiles:
    """List what has come of one visit, oldest first; of nobody else's."""
    with db.read_transaction():
        submission = Submission.objects.get(id=sending.submission_id)
        rows = list(SentFile.objects.filter(submission_id=submission.id, node_id__isnull=False).order_by("id"))
    return dtos.SentFiles(items=[_to_item(row) for row in rows], receipt=bool(submission.sender_email))


def finish(*, submission_id: UUID) -> None:
    """Tell of what has come of a visit: a receipt to its sender, a notice to who shares the folder. What was told is told once."""
    with db.read_transaction():
        submission = Submission.objects.filter(id=submission_id).first()
        has_news = SentFile.objects.filter(submission_id=submission_id, node_id__isnull=False, is_told=False).exists()
    if submission is None or not has_news:
        return
    wants_receipt = bool(submission.sender_email) and _may_write_to(submission)
    with db.write_transaction():
        link = Link.objects.select_for_update(no_key=True).get(id=submission.link_id)
        news = SentFile.objects.filter(submission_id=submission_id, node_id__isnull=False, is_told=False)
        told = news.aggregate(count=Count("id"), size=Coalesce(Sum("size_bytes"), 0))
        if not told["count"]:
            return
        news.update(is_told=True)
        if wants_receipt:
            mail.send(RECEIPT_MAIL, reference=submission_id, key=submission_id.hex)
        publish(
            SubmissionFinished(
                link_id=link.id,
                submission_id=submission_id,
                node_id=link.node_id,
                made_by=link.created_by,
                file_count=told["count"],
                size_bytes=int(told["size"]),
                actor_id=link.id,
            )
        )


# --- limits ----------------------------------------------------------------------------------------------------------------


def _find(token: str, unlock: str | None, visitor: Visitor) -> Link:
    row = admission.require_unlocked(admission.find_open(token, visitor), unlock)
    if row.kind != LinkKind.UPLOAD:
        raise errors.LinkTakesNothing
    return row


def _lock(link_id: UUID) -> Link:
    row = Link.objects.select_for_update(no_key=True, of=("self",)).select_related("request").filter(id=link_id).first()
    if row is None:
        raise NotFound
    return row


def _begun() -> Q:
    """Files that have come, and those that may still come."""
    return Q(node_id__isnull=False) | Q(started_at__gte=clock.now() - credentials.SUBMISSION_LIFETIME)


def _sum_begun(link_id: UUID) -> int:
    found = SentFile.objects.filter(_begun(), link_id=link_id).aggregate(size=Coalesce(Sum("size_bytes"), 0))
    return int(found["size"])


def _require_room(request: FileRequest, sending: dtos.Sending, size_bytes: int) -> None:
    """Refuse what is more than the request takes, inside the transaction that holds the link's row.

    :raises RequestFull: it is.
    """
    if request.max_files is not None:
        count = SentFile.objects.filter(_begun(), submission_id=sending.submission_id).count()
        if count >= request.max_files:
            raise errors.RequestFull("No more files are taken.", limit="max_files", allowed=request.max_files)
    if request.max_total_bytes is not None and _sum_begun(sending.link_id) + size_bytes > request.max_total_bytes:
        raise errors.RequestFull("This is more than the request still takes.", limit="max_total_bytes")


def _read_name(request: FileRequest, text: str) -> str:
    name = " ".join(text.split())
    if request.ask_name and not name:
        raise errors.SenderUnfit("Tell your name.", field="name")
    if len(name) > requests.TITLE_LIMIT or not name.isprintable():
        raise errors.SenderUnfit("A name has at most 120 characters that can be seen.", field="name")
    return name


def _read_email(request: FileRequest, text: str) -> str:
    email = text.strip()
    if not email and not request.ask_email:
        return ""
    try:
        validate_email(email)
    except ValidationError as error:
        raise errors.SenderUnfit("Tell an e-mail address.", field="email") from error
    if len(email) > ADDRESS_LIMIT:
        raise errors.SenderUnfit("Tell an e-mail address.", field="email")
    return email


def _may_write_to(submission: Submission) -> bool:
    """Count one mail to an address that is not proved; tells whether it may be sent."""
    try:
        throttle.take(
            "link-receipt-to",
            [submission.sender_email.lower()],
            limit=RECEIPTS_LIMIT,
            per_seconds=_DAY,
            everywhere=True,
        )
    except TooManyRequests:
        return False
    return True


# --- folders ---------------------------------------------------------------------------------------------------------------


def _read_path(folder: list[str]) -> list[str]:
    """Take the names of the folders above a file.

    :raises InvalidName: one is none.
    :raises SenderUnfit: they are too many.
    """
    if len(folder) > DEPTH_LIMIT:
        raise errors.SenderUnfit("Too many folders lie in each other.", field="folder")
    return [names.parse(each).text for each in folder]


def _ensure_path(row: Link, sending: dtos.Sending, path: list[str]) -> UUID:
    """Make the folders that a file of this visit lies in, each once; returns the lowest one's id."""
    parent_id = row.node_id
    steps = [("", _name_folder(sending))] if row.request.folder_per_sender else []
    steps += [("/".join(path[: depth + 1]), name) for depth, name in enumerate(path)]
    for key, name in steps:
        parent_id = _ensure_folder(sending, key, name, parent_id)
    return parent_id


def _ensure_folder(sending: dtos.Sending, key: str, name: str, parent_id: UUID) -> UUID:
    """Make one folder of this visit, or find it; one that was deleted meanwhile is made anew."""
    for _ in range(2):
        with db.write_transaction():
            SentFolder.objects.bulk_create(
                [SentFolder(submission_id=sending.submission_id, path=key, node_id=ids.new_id())], ignore_conflicts=True
            )
            row = SentFolder.objects.get(submission_id=sending.submission_id, path=key)
        if files.ensure_folder(actor=sending.actor, node_id=row.node_id, parent_id=parent_id, name=name):
            return row.node_id
        with db.write_transaction():
            row.delete()
    raise NotFound


def _name_folder(sending: dtos.Sending) -> str:
    """Name a sender's own folder: by the sender, else by the moment."""
    with db.read_transaction():
        submission = Submission.objects.get(id=sending.submission_id)
    name = submission.sender_name.replace("/", "-").strip(". ")
    return name or submission.sender_email or f"{submission.started_at:%Y-%m-%d %H.%M}"


def _finish_later(submission_id: UUID) -> None:
    """See to it that a visit is told of whose page was closed, in the open transaction."""
    jobs.enqueue(
        FINISH_JOB,
        FinishSubmission(submission_id=submission_id),
        key=submission_id.hex,
        by=jobs.SYSTEM,
        run_at=clock.now() + UNFINISHED_AFTER,
    )


def _to_item(row: SentFile) -> dtos.SentItem:
    return dtos.SentItem(name=row.name, size_bytes=row.size_bytes, sent_at=row.sent_at or row.started_at)
