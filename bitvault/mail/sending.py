"""Rendering a mail and handing it to Django's e-mail backend."""

import smtplib
from email.utils import formataddr, parseaddr
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.module_loading import import_string
from prometheus_client import Counter

from bitvault.kernel.db import forbid_transaction
from bitvault.mail.errors import MailNotSent, MailRefused
from bitvault.mail.letters import Facts, Letter, get_writer

OUTCOMES = Counter("bitvault_mails_total", "Mails by what the mail server said", ["outcome"])

ACCENT = "#0b6b57"
"""The colour of buttons where no vault has chosen one."""

_PERMANENT = 500
"""SMTP replies from here on are final (RFC 5321, 4.2.1)."""


def send(*, name: str, reference: UUID, facts: Facts, mail_id: UUID) -> bool:
    """Write and send a mail; tells whether there was something to send.

    :param mail_id: becomes the Message-ID, so that a mail that is sent twice is one to mail programs.
    :raises MailRefused: the server refuses it for good.
    :raises MailNotSent: the server does not take it now.
    """
    letter = get_writer(name)(reference, facts)
    if letter is None:
        return False
    message = _render(letter, mail_id)
    forbid_transaction("sending a mail")
    try:
        _hand_over(message)
    except MailRefused:
        OUTCOMES.labels(outcome="refused").inc()
        raise
    except MailNotSent:
        OUTCOMES.labels(outcome="put off").inc()
        raise
    OUTCOMES.labels(outcome="sent").inc()
    return True


def _hand_over(message: EmailMultiAlternatives) -> None:
    try:
        message.send()
    except smtplib.SMTPRecipientsRefused as error:
        codes = [code for code, _ in error.recipients.values()]
        raise _failure(max(codes, default=_PERMANENT), "the recipient") from error
    except smtplib.SMTPResponseException as error:
        # Wrong credentials are the operators' to mend, and then the mail can go.
        is_ours = isinstance(error, smtplib.SMTPAuthenticationError)
        raise _failure(0 if is_ours else error.smtp_code, type(error).__name__) from error
    except (smtplib.SMTPException, OSError) as error:
        raise MailNotSent(
            "The mail server does not answer as it should (%(reason)s).", reason=type(error).__name__
        ) from error


def _failure(code: int, subject: str) -> MailRefused | MailNotSent:
    """Tell what the server said by its code alone: its words may name the recipient."""
    if code >= _PERMANENT:
        return MailRefused(f"The mail server refuses it for good: {subject}, reply {code}.")
    return MailNotSent(f"The mail server refuses it for now: {subject}, reply {code}.")


def _unsubscribing(url: str) -> dict[str, str]:
    """Name the address that switches such mails off in one click (RFC 8058, 3.1)."""
    return {"List-Unsubscribe": f"<{url}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"} if url else {}


def _mail_brand() -> dict[str, Any]:
    found: dict[str, Any] = import_string(settings.BITVAULT_MAIL_BRAND_FINDER)()
    return found


def _sender(vault_name: str) -> str:
    """Name who sends it: the vault, where it is about one."""
    name, address = parseaddr(settings.DEFAULT_FROM_EMAIL)
    return formataddr((f"{' '.join(vault_name.split())} ({name})" if vault_name else name, address))


def _render(letter: Letter, mail_id: UUID) -> EmailMultiAlternatives:
    with translation.override(letter.locale or settings.LANGUAGE_CODE):
        context = {
            "base_url": settings.BITVAULT_BASE_URL,
            "subject": str(letter.subject),
            "action": letter.action,
            "vault_name": letter.vault_name,
            "accent": ACCENT,
            "accent_ink": "#ffffff",
            # A vault's look goes where its name goes: never to an address that is not proved.
            **(_mail_brand() if letter.vault_name else {}),
            **letter.context,
        }
        message = EmailMultiAlternatives(
            subject=str(letter.subject),
            body=render_to_string(f"{letter.template}.txt", context),
            # The envelope's sender: a server that cannot deliver it later on writes there.
            from_email=settings.BITVAULT_EMAIL_BOUNCE_ADDRESS or None,
            to=[letter.to],
            headers={
                "From": _sender(letter.vault_name),
                "Message-ID": f"<{mail_id.hex}@{settings.BITVAULT_BASE_HOST}>",
                # Answering machines leave it alone (RFC 3834).
                "Auto-Submitted": "auto-generated",
                **_unsubscribing(letter.unsubscribe_url),
            },
        )
        message.attach_alternative(render_to_string(f"{letter.template}.html", context), "text/html")
    return message
