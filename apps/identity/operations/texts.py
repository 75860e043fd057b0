"""What people may be called, and what opens their account: the rules for texts that come from outside."""

import re
import unicodedata

from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError

from apps.identity import models
from apps.identity.errors import InvalidDomain, InvalidEmail, InvalidLabel, InvalidSlug, WeakPassword
from apps.identity.queries import find_email

LABEL_LIMIT = 120
"""Characters of a name that people read: a line on a phone, and the column's width."""

MESSAGE_LIMIT = 500
"""Characters of a message in an invitation: a paragraph."""

PASSWORD_LIMIT = 1024
"""Characters of a password: longer than any sentence, short enough that hashing never costs more than one hash."""

RESERVED_SLUGS = frozenset(
    """
    account accounts admin api app assets auth billing bitvault blog cdn content dashboard dev docs download downloads files ftp
    help imap internal localhost login mail media metrics ns1 ns2 operator operators pop postmaster public root secure security
    sign-in sign-up smtp sockets sso staging static status store support system template webmail webmaster wpad ws www
    """.split()  # noqa: SIM905 - a list of seventy strings would fill a screen
)
"""First labels that the installation, mail or the web give a meaning of their own; nobody may pose as them."""

_SLUG = re.compile(r"[a-z][a-z0-9-]{1,38}[a-z0-9]")
_HOST_NAME = re.compile(r"(?=.{4,253}\Z)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?")


def read_slug(text: str) -> str:
    """Take the address label of a tenant.

    :raises InvalidSlug: another form than 3 to 40 of ``a-z 0-9 -``, or kept for the installation. ``reason`` tells which.
    """
    if not _SLUG.fullmatch(text) or text.startswith("xn--"):
        raise InvalidSlug(
            "An address has 3 to 40 of a–z, 0–9 and “-”, begins with a letter and does not end with “-”.", reason="form"
        )
    if text in RESERVED_SLUGS or f"{text}.{settings.BITVAULT_BASE_HOST}" == settings.BITVAULT_OPERATOR_HOST:
        raise InvalidSlug("This address is kept for the installation.", reason="reserved")
    return text


def read_domain(text: str, *, slug: str) -> str:
    """Take a host name that is to lead to a tenant; below the bare host a tenant has only the one of its slug.

    :raises InvalidDomain: it is no host name of that kind.
    """
    domain = text.strip().lower().rstrip(".")
    base = settings.BITVAULT_BASE_HOST
    own = domain == f"{slug}.{base}"
    if not own and (not _HOST_NAME.fullmatch(domain) or domain == base or domain.endswith(f".{base}")):
        raise InvalidDomain("Give a host name of your own, like files.example.org.")
    return domain


def read_mail_domain(text: str) -> str:
    """Take the domain of mail addresses.

    :raises InvalidDomain: it is no host name.
    """
    if not _HOST_NAME.fullmatch(text):
        raise InvalidDomain("Give domains like example.org.")
    return text


def read_email(text: str) -> str:
    """Take an e-mail address.

    :raises InvalidEmail: it is none.
    """
    email = find_email(text)
    if email is None:
        raise InvalidEmail
    return email


def read_label(text: str, *, field: str, required: bool = True) -> str:
    """Take a name that people read, in NFC, without outer spaces.

    :raises InvalidLabel: empty though it is needed, over 120 characters, or with controls or lone surrogates in it.
    """
    label = unicodedata.normalize("NFC", text).strip()
    if required and not label:
        raise InvalidLabel("The name is empty.", field=field)
    if len(label) > LABEL_LIMIT:
        raise InvalidLabel("The name has more than %(limit)s characters.", field=field, limit=LABEL_LIMIT)
    if any(unicodedata.category(character) in ("Cc", "Cs") for character in label):
        raise InvalidLabel("The name holds control characters.", field=field)
    return label


def read_message(text: str) -> str:
    """Take what somebody writes to a person whom they invite: lines of text, in NFC.

    :raises InvalidLabel: over 500 characters, or with controls other than line breaks in it.
    """
    message = unicodedata.normalize("NFC", text.replace("\r\n", "\n")).strip()
    if len(message) > MESSAGE_LIMIT:
        raise InvalidLabel("The message has more than %(limit)s characters.", field="message", limit=MESSAGE_LIMIT)
    if any(unicodedata.category(character) in ("Cc", "Cs") for character in message.replace("\n", "")):
        raise InvalidLabel("The message holds control characters.", field="message")
    return message


def require_strong(password: str, *, email: str, name: str) -> None:
    """Refuse a password that is easy to guess (NIST SP 800-63B: length and a list of common ones, no rules of composition).

    :raises WeakPassword: the fact ``reasons`` lists codes.
    """
    if len(password) > PASSWORD_LIMIT:
        raise WeakPassword(
            "A password may have %(limit)s characters.", reasons=["password_too_long"], limit=PASSWORD_LIMIT
        )
    try:
        validate_password(password, user=models.User(email=email, name=name))
    except ValidationError as error:
        raise WeakPassword(" ".join(error.messages), reasons=[part.code for part in error.error_list]) from error
