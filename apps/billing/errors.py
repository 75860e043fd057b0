"""What can go wrong with room."""

from bitvault.kernel import errors


class QuotaExceeded(errors.TooLarge):
    """There is not as much room left as this needs."""

    code = "billing.quota_exceeded"
    title = "There is not enough room"


class FileOverLimit(errors.TooLarge):
    """The file is larger than the tenant's plan allows; facts: ``limit_bytes``, ``requested_bytes``."""

    code = "billing.file_over_limit"
    title = "The file is larger than your plan allows"


class LimitAbovePlan(errors.Invalid):
    """A vault cannot allow itself more than its plan gives; facts: ``given_bytes``."""

    code = "billing.limit_above_plan"
    title = "The limit is above what the plan gives"


class StatementUnknown(errors.NotFound):
    """There is no statement of this month (yet)."""

    code = "billing.statement_unknown"
    title = "There is no statement of this month"


class LimitsUnfit(errors.Invalid):
    """The figure to warn at is above the limit; facts: ``limit_bytes``, ``warn_bytes``."""

    code = "billing.limits_unfit"
    title = "The warning has to come before the limit"


class TooManyScopes(errors.Invalid):
    """More scopes are asked for than one answer tells of; fact: ``limit``."""

    code = "billing.too_many_scopes"
    title = "Ask for fewer members and team folders at once"


class ScopeUnknown(errors.NotFound):
    """The scope is no member's and no team folder's."""

    code = "billing.scope_unknown"
    title = "There is no such member or team folder"


class PlanUnknown(errors.NotFound):
    """There is no plan of this name."""

    code = "billing.plan_unknown"
    title = "There is no such plan"


class RangeTooLong(errors.Invalid):
    """The days asked for are more than a year of them, or end before they begin."""

    code = "billing.range_too_long"
    title = "Ask for a year at most, and name the earlier day first"


class RecountOvertaken(errors.Unavailable):
    """So much has happened since the files were counted that the count says little; it is counted again."""

    code = "billing.recount_overtaken"
    title = "The files have changed too much since they were counted"


class PaymentOff(errors.NotFound):
    """No provider collects payment in this installation."""

    code = "billing.payment_off"
    title = "Plans are not paid for here"


class PlanNotForSale(errors.Conflict):
    """Operators have given the plan no price at the provider."""

    code = "billing.plan_not_for_sale"
    title = "This plan cannot be bought"


class NoPaymentYet(errors.Conflict):
    """The vault has never chosen a plan that is paid for, so there is no payment method and no invoice."""

    code = "billing.no_payment_yet"
    title = "There is no payment method and no invoice yet"


class PaymentUnavailable(errors.Unavailable):
    """The provider of payment does not answer, or does not take what it was asked for; operators see why. Nothing else is held up."""

    code = "billing.payment_unavailable"
    title = "The payment service does not answer"


class NoticeRefused(errors.Malformed):
    """What came to the webhook's address is not signed by the provider, or not now."""

    code = "billing.notice_refused"
    title = "This is no notice of the payment service"


class PaymentClaimed(errors.Unavailable):
    """Somebody else asks about this tenant at this moment; asked again later, nothing is missed."""

    code = "billing.payment_claimed"
    title = "The payment service is being asked already"
