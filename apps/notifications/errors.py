"""What can be wrong with notifications."""

from bitvault.kernel.errors import Invalid


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
