"""The base of every REST view: parse → door → render. No try, no query and no rule stands in a view; errors are rendered in ``problems``.

Request bodies and queries are ``Body`` and ``Query`` structs, answers are the doors' DTOs; msgspec reads and writes both by their types,
and the OpenAPI document is made from the same types (``openapi``).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any, ClassVar, TypeVar, get_args

import msgspec
from django.conf import settings
from django.http import HttpResponse
from django.urls import reverse
from rest_framework.request import Request
from rest_framework.views import APIView

from bitvault.events.api import answer_with_head
from bitvault.jobs.dtos import Job
from bitvault.kernel import db, errors, tenancy
from bitvault.kernel.actor import Actor, Scope
from bitvault.web import idempotency
from bitvault.web.limits import routes
from bitvault.web.limits.policies import RouteClass
from bitvault.web.limits.throttles import ActorThrottle, AddressThrottle

S = TypeVar("S", bound=msgspec.Struct)
H = TypeVar("H", bound=Callable[..., Any])

JSON = "application/json"
KEY_HEADER = "Idempotency-Key"

SENTENCE_LIMIT = 300
"""Characters of a refusal: enough for the path to any field of ours."""


class Body(msgspec.Struct, forbid_unknown_fields=True, kw_only=True, frozen=True):
    """Base of request bodies: unknown fields are refused, so no misspelt wish is silently ignored."""


class Query(msgspec.Struct, forbid_unknown_fields=True, kw_only=True, frozen=True):
    """Base of query strings; unknown parameters are refused like unknown fields."""


class RepeatedParameter(errors.Invalid):
    """A parameter of the query stands there more than once."""

    code = "request.repeated_parameter"
    title = "A parameter of the query is given more than once"


class ActorRequest(Request):
    """A request that somebody known makes. ``actor`` is set by authentication."""

    actor: Actor


@dataclass(frozen=True, slots=True)
class Operation:
    """What one method of a view takes and gives, for OpenAPI and for its tests."""

    body: type[Body] | None = None
    query: type[Query] | None = None
    answer: Any = None
    status: int = 200
    problems: tuple[type[errors.BitVaultError], ...] = field(default=())
    repeatable: bool = False
    repeated_status: int | None = None
    pending: Any = None
    headers: Mapping[str, Any] = field(default_factory=dict)
    idempotent: bool = False

    @property
    def takes_key(self) -> bool:
        """Whether a POST can be sent again with its ``Idempotency-Key``: the answer is kept, or has no need to be."""
        return self.repeatable or self.idempotent or self.repeated_status is not None


def operation(
    *,
    body: type[Body] | None = None,
    query: type[Query] | None = None,
    answer: Any = None,
    status: int = 200,
    problems: tuple[type[errors.BitVaultError], ...] = (),
    repeatable: bool = False,
    repeated_status: int | None = None,
    pending: Any = None,
    headers: Mapping[str, Any] | None = None,
    idempotent: bool = False,
) -> Callable[[H], H]:
    """Say what a view's method takes (``body``, ``query``), what it gives (``answer`` with ``status``) and which problems are its own.

    A ``repeatable`` one takes an ``Idempotency-Key`` (``View.repeatable``); one that tells by its status that it was done before has a
    ``repeated_status``. One that is not done within the request says with what it answers 202 until then (``pending``). ``headers`` of its
    own are named as OpenAPI names them. An ``idempotent`` POST says how something is to be: it takes a key and needs none. All other POSTs
    refuse one.
    """
    described = Operation(
        body, query, answer, status, problems, repeatable, repeated_status, pending, headers or {}, idempotent
    )

    def mark(method: H) -> H:
        method.__operation__ = described  # type: ignore[attr-defined] # read by openapi
        return method

    return mark


SETTLING = frozenset({"PUT", "PATCH", "DELETE"})
"""Methods that say how something is to be; sent again, they change nothing."""


class View(APIView):
    """A REST resource. Needs an actor unless ``public`` is set; a token also needs the scope for the method."""

    # What a route takes stands in the OpenAPI document; OPTIONS would tell it a second time, in words of the framework's.
    metadata_class = None
    throttle_classes = (ActorThrottle, AddressThrottle)

    public: ClassVar[bool] = False
    limit_class: ClassVar[RouteClass | None] = None
    counts_itself: ClassVar[bool] = True
    publishes: ClassVar[bool] = True
    """Whether what the route changes is an event: then a change tells its number, also when it was there already."""
    read_scope: ClassVar[Scope] = Scope.FILES_READ
    write_scope: ClassVar[Scope] = Scope.FILES_WRITE

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Let in who may ask, and refuse what the route does not take."""
        self.admit(request)
        _require_single_parameters(request)
        described: Operation = getattr(getattr(self, str(request.method).lower(), None), "__operation__", Operation())
        key = request.headers.get(KEY_HEADER) if request.method == "POST" else None
        if key is not None:
            if not described.takes_key:
                raise idempotency.KeyNotTaken
            idempotency.require_fit(key)

    def admit(self, request: Request) -> None:
        """Find out who asks, and refuse who is nobody, or over a limit, or lacks the scope."""
        if self.public:
            self.check_throttles(request)
            return
        self.perform_authentication(request)
        actor = getattr(request, "actor", None)
        if actor is None:
            raise errors.Unauthenticated
        self.check_throttles(request)
        actor.require_scope(self.read_scope if request.method in ("GET", "HEAD", "OPTIONS") else self.write_scope)

    def choose_limit_class(self, request: Request) -> RouteClass:
        """Tell of what class a request is (``limits.policies``): ``limit_class``, or to read or to write by its method."""
        return routes.choose(self.limit_class, request.method)

    def parse(self, body: type[S], request: Request) -> S:
        """Read the JSON body as ``body``; no body reads as an empty object, and of a field that comes twice the last one counts.

        :raises UnsupportedMedia: there is a body that is not declared as JSON.
        :raises TooLarge: it has more than 2 MB.
        :raises Malformed: it is not JSON.
        :raises Invalid: a field is missing, unknown, or of another type; the detail names its path.
        """
        media_type = (request.content_type or "").partition(";")[0].strip().lower()
        if media_type != JSON and _brings_body(request):
            raise errors.UnsupportedMedia
        content = request._request.body  # noqa: SLF001 - DRF offers the parsed body only
        if len(content) > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
            raise errors.TooLarge("A request body may have at most 2 MB.")
        try:
            return msgspec.json.decode(content or b"{}", type=body)
        except msgspec.ValidationError as error:
            raise errors.Invalid(_sentence(error)) from error
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise errors.Malformed("The body is not valid JSON.") from error
        except RecursionError as error:
            raise errors.Malformed("The body is nested too deep.") from error

    def parse_query(self, query: type[S], request: Request) -> S:
        """Read the query string as ``query``; ``initial`` has seen to it that each parameter stands there once.

        :raises Invalid: a parameter is missing, unknown, or of another type.
        """
        given = request.query_params.dict()
        try:
            # Leniently, since all parameters are text; but then any number would pass for a moment.
            for moment in _moments_of(query) & given.keys():
                msgspec.convert({moment: given[moment]}, dict[str, datetime])
            return msgspec.convert(given, query, strict=False)
        except msgspec.ValidationError as error:
            raise errors.Invalid(_sentence(error)) from error

    def render(
        self, result: Any = None, *, status: int = 200, headers: Mapping[str, str] | None = None
    ) -> HttpResponse:
        """Answer with a DTO as JSON, or with no body for 204 and redirects.

        What a PATCH or DELETE asked for may hold already, by the same request when its answer was lost: it tells the number all the same.
        """
        if (
            self.publishes
            and self.request.method in SETTLING
            and db.latest_seq.get() is None
            and tenancy.find_current() is not None
        ):
            answer_with_head()
        content = b"" if result is None else msgspec.json.encode(result)
        response = HttpResponse(content, status=status, headers=dict(headers or {}))
        if result is None:
            del response["Content-Type"]
        else:
            response["Content-Type"] = JSON
        response.setdefault("Cache-Control", "private, no-store")
        return response

    def render_job(self, job: Job) -> HttpResponse:
        """Answer that a job does it: 202, with the job and where it is read."""
        headers = {"Location": reverse("job", args=[job.id]), "Retry-After": "1"}
        return self.render(job, status=202, headers=headers)

    def repeatable(self, request: ActorRequest, act: Callable[[], Any], *, status: int = 201) -> HttpResponse:
        """Run the door of a POST, once for each ``Idempotency-Key``, and answer with what it gave or had given.

        :raises KeyUnfit: the key is empty or too long.
        :raises KeyReused: the key came with another request before.
        """
        text = request.headers.get(KEY_HEADER)
        if text is None:
            return self.render(act(), status=status)
        key = idempotency.Key.of(
            user_id=request.actor.user_id,
            credential_id=request.actor.token_id or request.actor.session_id,
            route=request.resolver_match.route if request.resolver_match else "",
            text=text,
            method=str(request.method),
            path=request.path,
            body=request._request.body,  # noqa: SLF001 - DRF offers the parsed body only
        )
        answer = idempotency.find_answer(key)
        if answer is None:
            try:
                with idempotency.keeping(key):
                    return self.render(act(), status=status)
            except idempotency.Replay as replay:
                answer = replay.answer
            except errors.BitVaultError:
                # Another request with this key may have had the effect that this one now trips over: the name is taken, the thing is
                # gone from the trash, the room is used up.
                answer = idempotency.find_answer(key)
                if answer is None:
                    raise
        answer_with_head()
        return self.render(msgspec.Raw(answer), status=status, headers={"Idempotent-Replayed": "true"})


def _require_single_parameters(request: Request) -> None:
    """Refuse a parameter that stands in the query twice: of two readers each could believe another one.

    :raises RepeatedParameter: one does.
    """
    repeated = sorted(name for name, values in request.query_params.lists() if len(values) > 1)
    if repeated:
        raise RepeatedParameter(f"Give each parameter once: {_short(', '.join(repeated))}.")


@cache
def _moments_of(query: type[msgspec.Struct]) -> frozenset[str]:
    """List the parameters that hold a moment."""
    return frozenset(part.encode_name for part in msgspec.structs.fields(query) if _holds_moment(part.type))


def _holds_moment(kind: Any) -> bool:
    return kind is datetime or any(_holds_moment(part) for part in get_args(kind))


def _brings_body(request: Request) -> bool:
    """Tell whether there is a body, without reading it: Django may have read a form's already."""
    return request.META.get("CONTENT_LENGTH") not in (None, "", "0") or "HTTP_TRANSFER_ENCODING" in request.META


def _sentence(error: msgspec.ValidationError) -> str:
    """Tell what msgspec says; it repeats names of fields, and those are as long as the caller likes."""
    return _short(str(error))


def _short(text: str) -> str:
    return text if len(text) <= SENTENCE_LIMIT else f"{text[:SENTENCE_LIMIT]}…"
