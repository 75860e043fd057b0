"""The development mailbox of the embedded stack: a Django e-mail backend that keeps mails in a directory, and what reads them.

Mails hold codes that open accounts, so only the owner of the process can read the files, and the page is found by a key alone.
"""

import contextlib
import email
import email.policy
import hmac
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage as ParsedMessage
from email.utils import parsedate_to_datetime
from pathlib import Path

from django.conf import settings
from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend
from django.utils.crypto import salted_hmac

from bitvault.kernel import ids

KEPT_COUNT = 500
"""Mails that are kept; older ones are deleted as new ones come."""

_SUFFIX = ".eml"


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail in the mailbox."""

    id: str
    sender: str
    to: list[str]
    subject: str
    text: str
    html: str
    sent_at: datetime


class EmailBackend(BaseEmailBackend):
    """Keeps each mail in a file of ``BITVAULT_MAILBOX_DIRECTORY``."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        """Keep mails; each file appears whole."""
        directory = Path(settings.BITVAULT_MAILBOX_DIRECTORY)
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        for message in email_messages:
            name = ids.new_id().hex
            growing = directory / f".{name}"
            descriptor = os.open(growing, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(message.message().as_bytes())
            growing.replace(directory / f"{name}{_SUFFIX}")
        for old in _list_files(directory)[KEPT_COUNT:]:
            old.unlink(missing_ok=True)
        return len(email_messages)


def is_open() -> bool:
    """Tell whether this installation keeps its mails."""
    return bool(settings.BITVAULT_MAILBOX_DIRECTORY)


def page_path() -> str:
    """Tell the path of the mailbox at the bare host; who knows it can read all mails."""
    return f"/mailbox/{_key()}/"


def list_path() -> str:
    """Tell the path of the same mails as JSON."""
    return f"{page_path()}mails.json"


def opens(key: str) -> bool:
    """Tell whether a key opens the mailbox; none does where mails are not kept."""
    return is_open() and hmac.compare_digest(key.encode(), _key().encode())


def list_mails() -> list[Mail]:
    """List the mails that are kept, newest first."""
    mails = []
    for path in _list_files(Path(settings.BITVAULT_MAILBOX_DIRECTORY)):
        with contextlib.suppress(FileNotFoundError):  # a newer one has pushed it out
            mails.append(_read(path))
    return mails


def _read(path: Path) -> Mail:
    parsed = email.message_from_bytes(path.read_bytes(), _class=ParsedMessage, policy=email.policy.default)
    return Mail(
        id=path.stem,
        sender=str(parsed["From"]),
        to=[address.addr_spec for address in parsed["To"].addresses],
        # One that was folded behind its name begins with the space of the fold.
        subject=str(parsed["Subject"]).strip(),
        text=_content(parsed, "plain"),
        html=_content(parsed, "html"),
        sent_at=parsedate_to_datetime(str(parsed["Date"])),
    )


def _content(parsed: ParsedMessage, kind: str) -> str:
    part = parsed.get_body(preferencelist=(kind,))
    return "" if part is None else str(part.get_content())


def _list_files(directory: Path) -> list[Path]:
    return sorted(directory.glob(f"*{_SUFFIX}"), reverse=True) if directory.is_dir() else []


def _key() -> str:
    return salted_hmac("bitvault.mail.mailbox", "", algorithm="sha256").hexdigest()[:32]
