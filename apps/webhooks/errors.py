"""What can be refused about webhooks, with stable codes."""

from bitvault.kernel.errors import Conflict, Forbidden, Gone, Invalid
from bitvault.kernel.pages import LimitOutOfRange

__all__ = [
    "AddressUnfit",
    "EventUnknown",
    "EventsGone",
    "LimitOutOfRange",
    "TokenNarrowed",
    "TooManyWebhooks",
    "WebhookDisabled",
]


class TokenNarrowed(Forbidden):
    """Webhooks tell of all folders, so a token that is narrowed to one does not look after them."""

    code = "webhooks.token_narrowed"
    title = "A token for one folder does not look after webhooks"


class AddressUnfit(Invalid):
    """Nothing can be sent to this address; fact: ``reason``."""

    code = "webhooks.address_unfit"
    title = "Nothing can be sent to this address"


class EventUnknown(Invalid):
    """No event has this name; fact: ``pattern``."""

    code = "webhooks.event_unknown"
    title = "There are no events of this name"


class TooManyWebhooks(Invalid):
    """The tenant has as many webhooks as it can have; fact: ``limit``."""

    code = "webhooks.too_many"
    title = "The vault has as many webhooks as it can have"


class EventsGone(Gone):
    """The next events are not kept any more; fact: ``first_seq``, the first one that is."""

    code = "webhooks.events_gone"
    title = "Events are kept for a month, and these are older"


class WebhookDisabled(Conflict):
    """The webhook is switched off; it has to be switched on first."""

    code = "webhooks.disabled"
    title = "This webhook is switched off"
