"""The development mailbox of the embedded stack, as a page and as JSON; its key stands in the address."""

import msgspec
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from bitvault.mail.api import mailbox
from bitvault.web.limits.routes import limited


@limited()
@require_safe
def show(request: HttpRequest, key: str) -> HttpResponse:
    """Show the mails, newest first."""
    _require_key(key)
    response = render(
        request, "gateway/mailbox.html", {"mails": mailbox.list_mails(), "list_path": mailbox.list_path()}
    )
    return _private(response)


@limited()
@require_safe
def list_as_json(request: HttpRequest, key: str) -> HttpResponse:
    """Give the mails as a JSON list, newest first."""
    _require_key(key)
    return _private(HttpResponse(msgspec.json.encode(mailbox.list_mails()), content_type="application/json"))


def _require_key(key: str) -> None:
    if not mailbox.opens(key):
        raise Http404


def _private(response: HttpResponse) -> HttpResponse:
    response["Cache-Control"] = "no-store"
    response["Referrer-Policy"] = "no-referrer"
    return response
