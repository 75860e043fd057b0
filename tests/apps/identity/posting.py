"""Running the jobs that send mail, and reading what was sent."""

import re

from django.core import mail

from bitvault.jobs import running


def deliver():
    """Send every mail that is wanted; returns those that left, and empties the outbox."""
    mail.outbox.clear()
    while running.run_next("jobs"):
        pass
    return list(mail.outbox)


def read_code(message, *, length=8):
    """Find the code in a mail: it stands on a line of its own."""
    return re.search(rf"^([0-9A-Z]{{{length}}})$", message.body, re.MULTILINE)[1]


def read_invitation_code(message):
    """Find the code of an invitation in its mail: it stands in the address of the page that accepts it."""
    return re.search(r"/invitation/\?code=([0-9A-Z]{26})$", message.body, re.MULTILINE)[1]
