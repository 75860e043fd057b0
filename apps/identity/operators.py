"""Django admin as this installation's operators meet it: its sign-in counts guesses, and knows a browser that signed in before."""

from typing import Any

from django.conf import settings
from django.contrib.admin import AdminSite
from django.contrib.admin.forms import AdminAuthenticationForm
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _

from apps.identity import browsers
from apps.identity.errors import InvalidCredentials
from apps.identity.operations import guesses
from bitvault.kernel.errors import TooManyRequests, Unavailable
from bitvault.web.address import client_address


class OperatorSignIn(AdminAuthenticationForm):
    """Django's form, with guesses counted before a password is compared."""

    def clean(self) -> dict[str, Any]:
        """Check e-mail and password, unless too many were guessed."""
        request = self.request
        if request is None:
            return super().clean()
        email = str(self.cleaned_data.get("username") or "")
        known = browsers.find_known(_cookie(request), email)
        try:
            with guesses.counted(email=email, address=client_address(request), browser=known, of_operator=True):
                try:
                    return super().clean()
                except ValidationError as error:
                    self._refusal = error
                    raise InvalidCredentials from error
        except InvalidCredentials:
            raise self._refusal from None
        except (TooManyRequests, Unavailable) as error:
            raise ValidationError(error.detail) from error


class OperatorsSite(AdminSite):
    """The pages of operators."""

    login_form = OperatorSignIn
    site_header = _("BitVault operations")
    enable_nav_sidebar = False
    site_title = "BitVault"
    index_title = _("Installation")
    site_url = None

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Sign an operator in, and have their browser keep that they did."""
        response = super().login(request, extra_context)
        if request.method == "POST" and self.has_permission(request):
            written = browsers.remember(_cookie(request), request.POST.get("username", ""))
            response.set_cookie(value=written, **settings.BITVAULT_KNOWN_BROWSER_COOKIE)
        return response


def _cookie(request: HttpRequest) -> str:
    return request.COOKIES.get(settings.BITVAULT_KNOWN_BROWSER_COOKIE["key"], "")
