"""Visitors: people whom nobody knows, told apart by a number that their browser was given, where something is counted for each."""

import re
import secrets

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from bitvault.kernel.request import Visitor
from bitvault.web.address import client_address

_NUMBER = re.compile(r"[A-Za-z0-9_-]{22}")
_LATER_PART = re.compile(r"bytes=0*[1-9]\d*-")

_PROGRAM_LIMIT = 200
"""Characters of ``User-Agent`` that tell programs apart."""


def find_visitor(request: HttpRequest) -> Visitor:
    """Tell who visits; whoever brings no number gets one, which only a browser that is told (``remember``) brings again."""
    number = request.COOKIES.get(settings.BITVAULT_VISITOR_COOKIE["key"], "")
    is_new = not _NUMBER.fullmatch(number)
    return Visitor(
        id=secrets.token_urlsafe(16) if is_new else number,
        is_new=is_new,
        address=client_address(request),
        program=request.headers.get("User-Agent", "")[:_PROGRAM_LIMIT],
        resumes=_LATER_PART.match(request.headers.get("Range", "")) is not None,
    )


def remember(response: HttpResponse, visitor: Visitor) -> None:
    """Give a new visitor's browser the number by which it is known again."""
    if visitor.is_new:
        response.set_cookie(value=visitor.id, **settings.BITVAULT_VISITOR_COOKIE)
