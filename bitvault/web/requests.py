"""The request of a REST view: DRF's, with bodies and queries read as structs."""

from typing import Any

from rest_framework.request import Request

from bitvault.kernel import errors
from bitvault.kernel.actor import Actor
from bitvault.web.structs import S, read_json, read_texts, shorten


class RepeatedParameter(errors.Invalid):
    """A parameter of the query stands there more than once."""

    code = "request.repeated_parameter"
    title = "A parameter of the query is given more than once"


class ActorRequest(Request):
    """A request that somebody known makes. ``actor`` is set by authentication."""

    actor: Actor

    def body_as(self, body: type[S]) -> S:
        """Read the body as ``body`` (``parsers.StructParser``); no body reads as an empty object.

        :raises UnsupportedMedia, UnsupportedMediaType: there is a body that is not declared as JSON.
        :raises RequestDataTooBig: it has more than 2 MB.
        :raises Malformed: it is not JSON.
        :raises Invalid: a field is missing, unknown, or of another type; the detail names its path.
        """
        self.parser_context["body_type"] = body
        data: Any = self.data
        if isinstance(data, body):
            return data
        # DRF asks no parser where there is no body, and none where Django has read a form already, in search of its CSRF token.
        if self.META.get("CONTENT_LENGTH") not in (None, "", "0"):
            raise errors.UnsupportedMedia
        return read_json(b"{}", body)

    def query_as(self, query: type[S]) -> S:
        """Read the query string as ``query``.

        :raises Invalid: a parameter is missing, unknown, or of another type.
        """
        return read_texts(self.query_params.dict(), query)

    def require_single_parameters(self) -> None:
        """Refuse a parameter that stands in the query twice: of two readers each could believe another one.

        :raises RepeatedParameter: one does.
        """
        repeated = sorted(name for name, values in self.query_params.lists() if len(values) > 1)
        if repeated:
            raise RepeatedParameter(
                "Give each parameter once: %(parameters)s.", parameters=shorten(", ".join(repeated))
            )
