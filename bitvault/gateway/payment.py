"""Where the provider of payment says what has happened: at the bare host, proved by a signature and by nothing else."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from apps.billing.api import paying
from bitvault.kernel.errors import BitVaultError, TooLarge
from bitvault.web import problems
from bitvault.web.limits.policies import RouteClass
from bitvault.web.limits.routes import limited

BODY_LIMIT = 512 * 1024
"""Bytes of a notice: the longest are invoices with their lines."""


@limited(RouteClass.PUBLIC)
@csrf_exempt
@require_POST
def take_stripe_notice(request: HttpRequest) -> HttpResponse:
    """Answer 200 once the notice is kept; what follows from it is done afterwards. Anything else has Stripe send it again."""
    try:
        if int(request.META.get("CONTENT_LENGTH") or 0) > BODY_LIMIT:
            raise TooLarge(limit_bytes=BODY_LIMIT)
        paying.take_payment_notice(body=request.body, signature=request.headers.get("Stripe-Signature", ""))
    except BitVaultError as error:
        return problems.render(error)
    return HttpResponse()
