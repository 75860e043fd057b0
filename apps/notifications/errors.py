"""What can be wrong with notifications."""

from bitvault.kernel.errors import Forbidden, Invalid


class TooManySubscriptions(Invalid):
    """Somebody follows or mutes as many nodes as one can; fact: ``limit``."""

    code = "notifications.too_many_subscriptions"
    title = "You follow or mute as many files and folders as one can"


class MailNotOffered(Invalid):
    """Of this topic no mail is sent by notifications; fact: ``topic``."""

    code = "notifications.mail_not_offered"
    title = "There is no choice of mail for this topic"


class QuietHoursUnfit(Invalid):
    """Quiet hours begin and end at the same time, or at none."""

    code = "notifications.quiet_hours_unfit"
    title = "Quiet hours need a beginning and another end"


class PushAddressUnfit(Invalid):
    """Nothing is sent to this address of a push service, or the browser's keys are none; fact: ``reason``."""

    code = "notifications.push_address_unfit"
    title = "This browser's push service cannot be used"


class TooManyBrowsers(Invalid):
    """Somebody is told in as many browsers as one can; fact: ``limit``."""

    code = "notifications.too_many_browsers"
    title = "You have as many browsers with push notifications as one can have"


class CredentialNarrowed(Forbidden):
    """The token is narrowed to a folder; what is pushed is told of everything that its person hears of."""

    code = "notifications.credential_narrowed"
    title = "A token that is narrowed to a folder cannot name browsers"
