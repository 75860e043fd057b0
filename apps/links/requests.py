"""What a request for files can be, and which files it takes."""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import PurePosixPath

from apps.links import dtos, errors
from apps.links.models import FileRequest, Link
from bitvault.kernel import clock, media_types

TITLE_LIMIT, TEXT_LIMIT = 120, 2000
GRACE_LIMIT_HOURS = 24 * 30
ACCEPTS_LIMIT = 50
"""Endings and families that one request names."""

FILES_LIMIT = 100_000
BYTES_LIMIT = 2**50

_ACCEPTED = re.compile(r"\.[a-z0-9][a-z0-9.+_-]{0,30}|(?:image|video|audio|text)/\*")
_UNFIT = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
"""Controls other than line breaks, and lone surrogates."""


def require_fit(wish: dtos.RequestWish) -> dtos.RequestWish:
    """Take a request as it is asked for, its texts without spaces around them.

    :raises LinkUnfit: there can be none like this.
    """
    title = " ".join(wish.title.split())
    if not title or len(title) > TITLE_LIMIT or not title.isprintable():
        raise errors.LinkUnfit("A request has a title of at most 120 characters that can be seen.", field="title")
    text = wish.text.replace("\r\n", "\n").strip()
    if len(text) > TEXT_LIMIT or _UNFIT.search(text):
        raise errors.LinkUnfit("A text has at most 2000 characters.", field="text")
    accepts = tuple(dict.fromkeys(each.strip().lower() for each in wish.accepts))
    if len(accepts) > ACCEPTS_LIMIT or not all(map(_ACCEPTED.fullmatch, accepts)):
        raise errors.LinkUnfit("Types are endings like “.pdf”, or image/*, video/*, audio/*, text/*.", field="accepts")
    if not 0 <= wish.grace_hours <= (GRACE_LIMIT_HOURS if wish.deadline else 0):
        raise errors.LinkUnfit("A grace follows a deadline, for 30 days at most.", field="grace_hours")
    for field, top in (("max_file_bytes", BYTES_LIMIT), ("max_files", FILES_LIMIT), ("max_total_bytes", BYTES_LIMIT)):
        limit = getattr(wish, field)
        if limit is not None and not 1 <= limit <= top:
            raise errors.LinkUnfit("This limit is too small or too large.", field=field)
    return dtos.RequestWish(
        title=title,
        text=text,
        deadline=wish.deadline,
        grace_hours=wish.grace_hours,
        ask_name=wish.ask_name,
        ask_email=wish.ask_email,
        max_file_bytes=wish.max_file_bytes,
        max_files=wish.max_files,
        max_total_bytes=wish.max_total_bytes,
        accepts=accepts,
        folder_per_sender=wish.folder_per_sender,
    )


def end_of(wish: dtos.RequestWish) -> datetime | None:
    """Tell until when a request takes files: its deadline and the grace after it."""
    return None if wish.deadline is None else wish.deadline + timedelta(hours=wish.grace_hours)


def write(row: FileRequest, wish: dtos.RequestWish) -> FileRequest:
    """Give a row what is asked for."""
    for field in dtos.RequestWish.__slots__:
        value = getattr(wish, field)
        setattr(row, field, list(value) if field == "accepts" else value)
    return row


def to_dto(row: FileRequest) -> dtos.FileRequest:
    """Give a request as those see it who share its folder."""
    return dtos.FileRequest(
        **{field: getattr(row, field) for field in dtos.RequestWish.__slots__},
        received_count=row.received_count,
        received_bytes=row.received_bytes,
    )


def is_late(row: FileRequest, moment: datetime | None = None) -> bool:
    """Tell whether a file of this moment (now) comes after the deadline."""
    return row.deadline is not None and (moment or clock.now()) > row.deadline


def takes(accepts: Sequence[str], name: str) -> bool:
    """Tell whether a file of this name is of a type that is asked for."""
    if not accepts:
        return True
    lower = name.lower()
    family = media_types.guess(name).partition("/")[0]
    return any(
        lower.endswith(each) and PurePosixPath(lower).name != each if each.startswith(".") else family == each[:-2]
        for each in accepts
    )


def require_taken(link: Link, row: FileRequest, *, name: str, size_bytes: int) -> None:
    """Refuse a file that is of no type that is asked for, or too large.

    :raises TypeNotTaken, RequestFull: it is.
    """
    if not takes(row.accepts, name):
        raise errors.TypeNotTaken(accepts=list(row.accepts))
    if row.max_file_bytes is not None and size_bytes > row.max_file_bytes:
        raise errors.RequestFull(
            "The file is larger than is asked for.", limit="max_file_bytes", allowed=row.max_file_bytes
        )
