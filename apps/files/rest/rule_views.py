"""Views of folders' rules for files: parse → door → render."""

from typing import Annotated
from uuid import UUID

from msgspec import Meta
from rest_framework.response import Response

from apps.files import errors
from apps.files.api import rules
from apps.files.dtos.rules import FolderRules
from bitvault.events.api import answer_with_head
from bitvault.kernel import db
from bitvault.kernel.file_rules import FileTypes
from bitvault.web.operations import operation
from bitvault.web.requests import ActorRequest
from bitvault.web.structs import Body
from bitvault.web.views import View


class SetRules(Body, frozen=True):
    """Which files come in: all, all `except` those with `file_extensions`, or `only` those; and how large one may be."""

    file_types: FileTypes = "all"
    file_extensions: list[Annotated[str, Meta(max_length=40)]] = []
    largest_file_bytes: int | None = None


class NodeFileRules(View):
    """Which files come into a folder and all below it."""

    @operation(answer=FolderRules, problems=(errors.NotAFolder,))
    def get(self, request: ActorRequest, node_id: UUID) -> Response:
        """Read its own rules, those that hold from above, and what they let in together."""
        return Response(rules.get_rules(actor=request.actor, node_id=node_id))

    @operation(body=SetRules, answer=FolderRules, problems=(errors.NotAFolder, errors.RulesUnfit))
    def put(self, request: ActorRequest, node_id: UUID) -> Response:
        """Set its own rules, for who manages it. They tighten what stands above and never loosen it; what is here stays."""
        body = request.body_as(SetRules)
        answer = rules.set_rules(
            actor=request.actor,
            node_id=node_id,
            types=body.file_types,
            extensions=body.file_extensions,
            largest_bytes=body.largest_file_bytes,
        )
        return _answer(answer)

    @operation(answer=FolderRules, problems=(errors.NotAFolder,))
    def delete(self, request: ActorRequest, node_id: UUID) -> Response:
        """Take its own rules away; answers with what still holds from above."""
        return _answer(rules.remove_rules(actor=request.actor, node_id=node_id))


def _answer(found: FolderRules) -> Response:
    if db.latest_seq.get() is None:
        answer_with_head()  # it had these rules before, and that has its number too
    return Response(found)
