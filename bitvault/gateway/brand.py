"""How a tenant looks: addresses of its logo and its colours for pages, and both for mails."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse

from apps.identity import api as identity
from apps.identity.api import pictures
from apps.identity.errors import ColourUnfit
from bitvault.gateway.pictures import KEPT_BY_BROWSERS, address_of_logo
from bitvault.kernel import tenancy
from bitvault.kernel.tenancy import Tenant
from bitvault.web.brand import PLAIN, Brand
from bitvault.web.limits.policies import RouteClass
from bitvault.web.limits.routes import limited


def find_brand(tenant: Tenant) -> Brand:
    """Tell where the logo and the colours of a tenant are (``settings.BITVAULT_BRAND_FINDER``)."""
    if tenant.logo_id is None and not tenant.accent_light:
        return PLAIN
    light, dark = tenant.accent_light.removeprefix("#"), tenant.accent_dark.removeprefix("#")
    return Brand(
        logo_url="" if tenant.logo_id is None else f"{address_of_logo(tenant.logo_id)}?size=small",
        accent_url=f"/accent/{light}-{dark}.css" if light else "",
    )


def find_mail_brand() -> dict[str, Any]:
    """Give what mails of the entered tenant show of it (``settings.BITVAULT_MAIL_BRAND_FINDER``); one statement."""
    present = tenancy.find_current()
    tenant = None if present is None else identity.find_tenant(tenant_id=present.id)
    if tenant is None:
        return {}
    brand: dict[str, Any] = {}
    if tenant.logo_id is not None:
        brand["logo_url"] = f"{identity.get_tenant_url(tenant=tenant)}{address_of_logo(tenant.logo_id)}?size=small"
    if tenant.accent_light:
        brand["accent"], brand["accent_ink"] = pictures.choose_mail_colours(light=tenant.accent_light)
    return brand


@limited(RouteClass.READ)
def show_accent(request: HttpRequest, light: str, dark: str) -> HttpResponse:
    """Write the style sheet of two colours. It says no more than its address does, so everybody may keep it."""
    try:
        css = pictures.write_accent_css(light=f"#{light}", dark=f"#{dark}")
    except ColourUnfit:
        raise Http404 from None
    response = HttpResponse(css, content_type="text/css; charset=utf-8")
    response["Cache-Control"] = f"public, {KEPT_BY_BROWSERS}"
    return response
