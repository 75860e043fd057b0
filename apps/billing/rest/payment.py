"""Payment by a provider over REST: how the vault pays, and where people go to pay. What is paid by stays with the provider."""

from rest_framework.response import Response

from apps.billing import dtos
from apps.billing.api import paying
from apps.billing.errors import NoPaymentYet, PaymentOff, PaymentUnavailable, PlanNotForSale, PlanUnknown
from apps.billing.rest import schemas
from bitvault.events.api import answer_with_head
from bitvault.kernel.permissions import Permission
from bitvault.web.limits.policies import RouteClass
from bitvault.web.operations import operation
from bitvault.web.permissions import HasPermission
from bitvault.web.requests import ActorRequest
from bitvault.web.views import View


class Payment(View):
    """How the vault pays for its plan."""

    permission_classes = [HasPermission.to(Permission.MANAGE_BILLING)]

    @operation(answer=dtos.Payment)
    def get(self, request: ActorRequest) -> Response:
        """Read how it stands, as the provider told it last."""
        return Response(paying.get_payment(actor=request.actor))


class PaidPlan(View):
    """The plan that is paid for."""

    limit_class = RouteClass.HEAVY
    permission_classes = [HasPermission.to(Permission.MANAGE_BILLING)]

    @operation(
        body=schemas.ChoosePlan,
        answer=dtos.PlanChoice,
        problems=(PaymentOff, PlanUnknown, PlanNotForSale, PaymentUnavailable),
    )
    def put(self, request: ActorRequest) -> Response:
        """Choose a plan. Without a subscription `url` is where it is paid for, once; with one, the plan changes now and the provider
        settles the rest of the month. A smaller plan deletes nothing: what is there stays, and what is new is refused until it fits.
        """
        choice = paying.choose_plan(actor=request.actor, plan=request.body_as(schemas.ChoosePlan).plan)
        answer_with_head()
        return Response(choice)


class Portal(View):
    """The payment method and the invoices."""

    limit_class = RouteClass.HEAVY
    permission_classes = [HasPermission.to(Permission.MANAGE_BILLING)]

    @operation(answer=dtos.PaymentPortal, problems=(PaymentOff, NoPaymentYet, PaymentUnavailable), idempotent=True)
    def post(self, request: ActorRequest) -> Response:
        """Get the address, good for some minutes, where the payment method is changed, invoices are read and subscriptions end."""
        return Response(paying.open_payment_portal(actor=request.actor))
