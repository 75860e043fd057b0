"""The e-mail backend of an installation that names no mail server."""

from collections.abc import Sequence

from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend

from bitvault.mail.errors import MailRefused


class EmailBackend(BaseEmailBackend):
    """Refuses: mails hold codes, so they are not printed into a log, and operators see jobs that failed."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        """Send nothing.

        :raises MailRefused: always; once a server is named, operators run the jobs again.
        """
        raise MailRefused("This installation names no mail server: set BITVAULT_EMAIL_URL.")
