"""What the front asks before it gets a certificate for a name that somebody has come by."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from apps.identity import api as identity
from bitvault.web.limits.policies import RouteClass
from bitvault.web.limits.routes import limited

NAME_LIMIT = 253
"""Characters of a host name (RFC 1035)."""


@limited(RouteClass.HEALTH)
@require_safe
def ask(request: HttpRequest) -> HttpResponse:
    """Answer 200 for ``?domain=`` of this installation or of a tenant, 404 for any other: an authority limits how many may be asked for."""
    domain = request.GET.get("domain", "").lower().removesuffix(".")
    own = domain in (settings.BITVAULT_BASE_HOST, settings.BITVAULT_OPERATOR_HOST)
    known = own or (0 < len(domain) <= NAME_LIMIT and identity.find_tenant_by_host(host=domain) is not None)
    return HttpResponse(status=200 if known else 404)
