"""Problem answers (RFC 9457): the one place where errors become HTTP."""

from collections.abc import Callable
from typing import Any

import msgspec
import structlog
from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.db import DatabaseError, DataError, InterfaceError, OperationalError, ProgrammingError
from django.http import Http404, HttpResponse, UnreadablePostError
from rest_framework import exceptions as drf

from bitvault.kernel import errors, tenancy
from bitvault.kernel.postgres.watching import DatabaseDown, outage
from bitvault.kernel.request import current_request_id
from bitvault.kernel.tasks import select_present

CONTENT_TYPE = "application/problem+json"

LATE = "BitVault-Refusal"
"""Holds a refusal that the front, where there is one, passes on half a second late (``gateway.asgi``) and takes the header from."""

logger = structlog.get_logger(__name__)


class MethodNotAllowed(errors.BitVaultError):
    """The route is there but not for this method."""

    code = "request.method_not_allowed"
    status = 405
    title = "This route does not take this method"


class LengthRequired(errors.BitVaultError):
    """The body comes in chunks, without a length: WSGI would take it for none at all."""

    code = "request.length_required"
    status = 411
    title = "Send the body with a Content-Length"


class Busy(errors.Unavailable):
    """The database could not serve the request in its time."""

    code = "platform.busy"
    title = "The vault is busy; try again in a moment"


class InternalError(errors.BitVaultError):
    """A defect of ours; the log has the details under the request's id."""

    code = "platform.internal_error"
    status = 500
    title = "Something went wrong on our side"


def render(error: errors.BitVaultError) -> HttpResponse:
    """Turn an error into its problem answer."""
    body = {**error.as_problem(), "request_id": current_request_id()}
    response = HttpResponse(msgspec.json.encode(body), status=error.status, content_type=CONTENT_TYPE)
    retry_after = error.facts.get("retry_after_seconds", getattr(error, "retry_after_seconds", None))
    if retry_after is not None:
        response["Retry-After"] = str(retry_after)
    if isinstance(error, errors.TooManyRequests | errors.Unavailable) and response.content.isascii():
        response[LATE] = response.content.decode()
    if isinstance(error, errors.Unauthenticated):
        response["WWW-Authenticate"] = "Bearer"
    response["Cache-Control"] = "no-store"
    return response


def handle(error: Exception, context: dict[str, Any]) -> HttpResponse | None:
    """Answer for what a view raised; ``None`` leaves a defect to Django, which logs it and answers by ``server_error``."""
    known = find_known(error)
    if known is None:
        return None
    note(context["request"], known)
    response = render(known)
    if isinstance(error, drf.MethodNotAllowed):
        response["Allow"] = ", ".join(context["view"].allowed_methods)
    return response


def note(request: Any, error: errors.BitVaultError) -> None:
    """Keep with a request what the audit log is told of its refusal (``gateway.denials``)."""
    getattr(request, "_request", request).denied = error.denied


def find_known(error: Exception) -> errors.BitVaultError | None:
    """Find the refusal that an exception stands for, or ``None`` for a defect."""
    match error:
        case errors.BitVaultError():
            return error
        case drf.ParseError() | drf.NotAcceptable() | drf.ValidationError():
            return errors.Malformed(str(error))
        case OperationalError(__cause__=DatabaseDown()):
            return errors.ServiceDown(dependency=outage.name, retry_after_seconds=outage.retry_after_seconds)
        case OperationalError() | InterfaceError():
            logger.warning("database_refused", error=_first_line(error))
            return Busy()
        case ProgrammingError() | DataError() if _tenant_is_gone():
            return errors.NotFound("This vault is not here any more.")
        case DataError():
            # A text with NUL, a number or a moment past what a column holds: the request's values, which no schema of ours has bounded.
            logger.warning("database_refused_value", error=type(error.__cause__).__name__)
            return errors.Invalid("A value lies outside of what can be kept.")
    return next((make() for kinds, make in _STANDS_FOR.items() if isinstance(error, kinds)), None)


def _tenant_is_gone() -> bool:
    """Tell whether the entered tenant was deleted or suspended since the request began: its tables, or its role, may be gone with it."""
    tenant = tenancy.find_current()
    try:
        return tenant is not None and tenant.id not in select_present({tenant.id})
    except DatabaseError:
        return False


_STANDS_FOR: dict[tuple[type[Exception], ...], Callable[[], errors.BitVaultError]] = {
    (Http404, drf.NotFound): errors.NotFound,
    (PermissionDenied, drf.PermissionDenied): errors.Forbidden,
    (drf.NotAuthenticated, drf.AuthenticationFailed): errors.Unauthenticated,
    (drf.MethodNotAllowed,): MethodNotAllowed,
    (drf.UnsupportedMediaType,): errors.UnsupportedMedia,
    (RequestDataTooBig,): lambda: errors.TooLarge("A request body may have at most 2 MB."),
    (UnreadablePostError,): lambda: errors.Malformed("The body did not arrive whole."),
}
"""What Django and Django REST framework raise, and what it is called here."""


def _first_line(error: Exception) -> str:
    """Tell what PostgreSQL says; further lines may hold statements."""
    return (str(error).splitlines() or [type(error).__name__])[0]
