"""How sending a mail fails. Operators read these as the problem of a job; no address stands in them."""

from bitvault.kernel.errors import BitVaultError, Invalid, ProgrammingError


class MailRefused(Invalid):
    """The mail server refuses this recipient or this mail for good."""

    code = "mail.refused"
    title = "The mail server refuses the mail"


class MailNotSent(BitVaultError):
    """The mail server does not take the mail now; it is tried again."""

    code = "mail.not_sent"
    status = 503
    title = "The mail could not be handed to the mail server"


class UnknownMail(ProgrammingError):
    """No function writes mails of this name."""
