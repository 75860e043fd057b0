"""Routes of whoever holds a link: parse → door → render. They answer at the tenant's host, or for a credential of the tenant."""

from functools import partial

from rest_framework.response import Response

from apps.files.errors import NotAFolder
from apps.links import api, errors
from apps.links.dtos import (
    SUBMISSION_HEADER,
    UNLOCK_HEADER,
    NewSubmission,
    PublicChildren,
    PublicLink,
    Sending,
    SentFiles,
    Unlocked,
)
from apps.links.rest import schemas
from bitvault.kernel.pages import BadCursor
from bitvault.web.operations import operation
from bitvault.web.requests import ActorRequest
from bitvault.web.views import VisitorView
from bitvault.web.visitors import find_visitor


class PublicLinkDetail(VisitorView):
    """A link, for whoever has the end of its address."""

    @operation(answer=PublicLink, problems=errors.CLOSED)
    def get(self, request: ActorRequest, token: str) -> Response:
        """Tell what it leads to; while it is `locked`, only that the password has to be given."""
        page = api.open_page(
            token=token,
            unlock=request.headers.get(UNLOCK_HEADER),
            visitor=find_visitor(request),
            limit=1,
            is_noted=request.method == "GET",
        )
        return Response(page.link)


class PublicLinkUnlock(VisitorView):
    """The password of a link."""

    @operation(body=schemas.GivePassword, answer=Unlocked, problems=(*errors.CLOSED, errors.WrongPassword))
    def post(self, request: ActorRequest, token: str) -> Response:
        """Give the password; `unlock_token` is sent back as `BitVault-Link-Unlock`. Wrong ones are counted by link and address."""
        body = request.body_as(schemas.GivePassword)
        return Response(api.unlock_link(token=token, password=body.password, visitor=find_visitor(request)))


class PublicLinkChildren(VisitorView):
    """What lies in a link's folder, or in one below it."""

    @operation(
        query=schemas.ListPublicChildren,
        answer=PublicChildren,
        problems=(*errors.CLOSED, errors.LinkLocked, NotAFolder, BadCursor),
    )
    def get(self, request: ActorRequest, token: str) -> Response:
        """List it, folders first, by name."""
        query = request.query_as(schemas.ListPublicChildren)
        return self.paginate(
            partial(
                api.list_public_children,
                token=token,
                unlock=request.headers.get(UNLOCK_HEADER),
                visitor=find_visitor(request),
                node_id=query.node_id,
            )
        )


def admit_sender(request: ActorRequest, token: str) -> Sending:
    """Let somebody go on with the visit that their request proves."""
    return api.admit_sender(
        token=token,
        unlock=request.headers.get(UNLOCK_HEADER),
        submission_token=request.headers.get(SUBMISSION_HEADER),
        visitor=find_visitor(request),
    )


class PublicSubmissions(VisitorView):
    """Visits in which somebody sends files through a link."""

    @operation(
        body=schemas.BeginSubmission,
        answer=NewSubmission,
        status=201,
        problems=(*errors.CLOSED, errors.LinkLocked, errors.LinkTakesNothing, errors.SenderUnfit),
    )
    def post(self, request: ActorRequest, token: str) -> Response:
        """Begin one; `submission_token` is sent along as `BitVault-Link-Submission` from then on."""
        body = request.body_as(schemas.BeginSubmission)
        begun = api.begin_submission(
            token=token,
            unlock=request.headers.get(UNLOCK_HEADER),
            visitor=find_visitor(request),
            name=body.name,
            email=body.email,
        )
        return Response(begun, status=201)


class PublicSubmission(VisitorView):
    """The visit of whoever asks."""

    @operation(answer=SentFiles, problems=(*errors.CLOSED, errors.LinkLocked, errors.SubmissionUnknown))
    def get(self, request: ActorRequest, token: str) -> Response:
        """List what has arrived of it."""
        return Response(api.list_sent(sending=admit_sender(request, token)))


class PublicSubmissionFinish(VisitorView):
    """The end of the visit of whoever asks."""

    @operation(answer=SentFiles, problems=(*errors.CLOSED, errors.LinkLocked, errors.SubmissionUnknown), status=200)
    def post(self, request: ActorRequest, token: str) -> Response:
        """Say that all is sent: the sender gets a receipt, if there is an address, and who asked for the files is told."""
        return Response(api.finish_submission(sending=admit_sender(request, token)))
