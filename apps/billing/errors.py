"""What can go wrong with room."""

from bitvault.kernel import errors


class QuotaExceeded(errors.TooLarge):
    """There is not as much room left as this needs."""

    code = "billing.quota_exceeded"
    title = "There is not enough room"


class PlanUnknown(errors.NotFound):
    """There is no plan of this name."""

    code = "billing.plan_unknown"
    title = "There is no such plan"


class RangeTooLong(errors.Invalid):
    """The days asked for are none, or more than a year of them."""

    code = "billing.range_too_long"
    title = "Ask for at least one day and at most a year"


class RecountOvertaken(errors.Unavailable):
    """So much has happened since the files were counted that the count says little; it is counted again."""

    code = "billing.recount_overtaken"
    title = "The files have changed too much since they were counted"
