"""The page behind the address in a mail that switches such mails off: for a mail program (RFC 8058), and for who looks first."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.decorators import method_decorator
from django.views.decorators.csrf import csrf_exempt

from apps.notifications import api
from apps.notifications.ui.views import TOPICS
from bitvault.web.limits.policies import RouteClass
from bitvault.web.pages import VisitorPage


# The address is the proof: a mail program sends no cookie, and a cookie is not looked at.
@method_decorator(csrf_exempt, name="dispatch")
class StopPage(VisitorPage):
    """Switching mails off."""

    limit_class = RouteClass.WRITE

    def get(self, request: HttpRequest, token: str) -> HttpResponse:
        """Ask whether it is meant: scanners follow the addresses in mails."""
        return self._show(request, token, done=False)

    def post(self, request: HttpRequest, token: str) -> HttpResponse:
        """Switch them off; sent again, it changes nothing."""
        api.stop_mails(token=token)
        return self._show(request, token, done=True)

    def _show(self, request: HttpRequest, token: str, *, done: bool) -> HttpResponse:
        what = api.find_stop(token=token)
        label = next((label for name, label, _ in TOPICS if name == what), None)
        return render(request, "notifications/stop.html", {"what": what, "label": label, "done": done})
