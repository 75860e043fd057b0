"""Identity over REST: signing in and out, tokens, sessions, the password."""

from functools import partial
from uuid import UUID

from django.conf import settings
from django.middleware.csrf import rotate_token
from rest_framework.permissions import AllowAny
from rest_framework.response import Response

from apps.identity import api, dtos, errors
from apps.identity.rest import schemas
from bitvault.kernel import tenancy
from bitvault.kernel.actor import Scope
from bitvault.kernel.pages import Page
from bitvault.web.address import client_address
from bitvault.web.csrf import CsrfFailed, require_own_origin
from bitvault.web.limits.policies import RouteClass
from bitvault.web.operations import operation
from bitvault.web.pagination import PageQuery
from bitvault.web.permissions import HasScope
from bitvault.web.requests import ActorRequest
from bitvault.web.views import View


class LogIn(View):
    """Signing a browser in at the host of its tenant."""

    limit_class = RouteClass.SIGN_IN
    authentication_classes = []
    permission_classes = [AllowAny]

    @operation(
        body=schemas.LogIn,
        answer=dtos.SignedIn,
        problems=(errors.InvalidCredentials, errors.TenantHostNeeded, CsrfFailed),
    )
    def post(self, request: ActorRequest) -> Response:
        """Start a session; the answer sets its cookie and a new CSRF cookie. Wrong, unknown and no member read the same."""
        require_own_origin(request)
        tenant = tenancy.find_current()
        if tenant is None:
            raise errors.TenantHostNeeded
        body = request.body_as(schemas.LogIn)
        address = client_address(request)
        known_browser = settings.BITVAULT_KNOWN_BROWSER_COOKIE
        cookie = request.COOKIES.get(known_browser["key"], "")
        browser = api.find_known_browser(cookie=cookie, email=body.email)
        signed_in = api.sign_in(
            email=body.email, password=body.password, tenant=tenant, address=address, browser=browser
        )
        api.start_session(
            session=request.session,
            signed_in=signed_in,
            tenant=tenant,
            address=address,
            agent=request.headers.get("User-Agent", ""),
            is_new_browser=browser is None,
        )
        rotate_token(request)
        response = Response(signed_in)
        # Who only claims an address has proved nothing of whose it is: the browser stays a stranger's.
        if signed_in.email_proved:
            response.set_cookie(value=api.remember_browser(cookie=cookie, email=body.email), **known_browser)
        return response


class LogOut(View):
    """Signing a browser out."""

    permission_classes = [HasScope.of(Scope.ACCOUNT)]

    @operation(status=204, problems=(errors.SessionNeeded, CsrfFailed))
    def post(self, request: ActorRequest) -> Response:
        """End the session that asks; the answer takes its cookie back. A token is ended by `DELETE /tokens/{id}`."""
        if request.actor.session_id is None:
            raise errors.SessionNeeded
        api.sign_out(session=request.session)
        return Response(status=204)


class Password(View):
    """The caller's password."""

    permission_classes = [HasScope.of(Scope.ACCOUNT)]

    @operation(body=schemas.ChangePassword, status=204, problems=(errors.InvalidCredentials, errors.WeakPassword))
    def post(self, request: ActorRequest) -> Response:
        """Change it; every other session and token of the caller ends."""
        body = request.body_as(schemas.ChangePassword)
        api.change_password(actor=request.actor, current_password=body.current_password, new_password=body.new_password)
        return Response(status=204)


class ForgottenPassword(View):
    """A password that somebody has forgotten."""

    limit_class = RouteClass.SIGN_IN
    authentication_classes = []
    permission_classes = [AllowAny]

    @operation(body=schemas.ForgottenPassword, status=202)
    def post(self, request: ActorRequest) -> Response:
        """Send a code that resets it to the address, if somebody has it; the answer is the same if not."""
        body = request.body_as(schemas.ForgottenPassword)
        api.ask_for_password_reset(email=body.email, address=client_address(request))
        return Response(status=202)


class PasswordReset(View):
    """A new password by a code."""

    limit_class = RouteClass.SIGN_IN
    authentication_classes = []
    permission_classes = [AllowAny]

    @operation(body=schemas.ResetPassword, status=204, problems=(errors.InvalidCode, errors.WeakPassword))
    def post(self, request: ActorRequest) -> Response:
        """Replace the password of whoever got the code; all sessions and tokens of theirs end."""
        body = request.body_as(schemas.ResetPassword)
        address = client_address(request)
        api.reset_password(code=body.code, new_password=body.new_password, address=address)
        return Response(status=204)


class EmailProof(View):
    """The proof that the address of the caller's account is theirs."""

    limit_class = RouteClass.SIGN_IN
    permission_classes = [HasScope.of(Scope.ACCOUNT)]

    @operation(body=schemas.EmailCode, status=204, problems=(errors.InvalidCode, errors.EmailTaken))
    def post(self, request: ActorRequest) -> Response:
        """Enter the code that was sent there; wrong, used and expired ones read the same, and ten guesses end one."""
        body = request.body_as(schemas.EmailCode)
        api.prove_email(actor=request.actor, code=body.code)
        return Response(status=204)


class EmailCode(View):
    """The code that proves the address of the caller's account."""

    permission_classes = [HasScope.of(Scope.ACCOUNT)]

    @operation(status=202, problems=(errors.EmailProved,))
    def post(self, request: ActorRequest) -> Response:
        """Send another one; the ones before end."""
        api.send_email_code(actor=request.actor)
        return Response(status=202)


class Tokens(View):
    """The caller's API tokens for this tenant."""

    permission_classes = [HasScope.of(Scope.ACCOUNT)]

    @operation(query=PageQuery, answer=Page[dtos.Token])
    def get(self, request: ActorRequest) -> Response:
        """List them, newest first, without their secrets."""
        return self.paginate(partial(api.list_tokens, actor=request.actor))

    @operation(
        body=schemas.CreateToken,
        answer=dtos.NewToken,
        status=201,
        problems=(errors.InvalidExpiry, errors.InvalidLabel, errors.ScopesTooWide),
    )
    def post(self, request: ActorRequest) -> Response:
        """Make one. `token` is in this answer only; it is kept nowhere, so a repeated request makes another token."""
        body = request.body_as(schemas.CreateToken)
        made = api.create_token(
            actor=request.actor, name=body.name, scopes=frozenset(body.scopes), expires_at=body.expires_at
        )
        return Response(made, status=201)


class TokenDetail(View):
    """One API token of the caller's."""

    permission_classes = [HasScope.of(Scope.ACCOUNT)]

    @operation(status=204)
    def delete(self, request: ActorRequest, token_id: UUID) -> Response:
        """Revoke it; it stops working within a second."""
        api.revoke_token(actor=request.actor, token_id=token_id)
        return Response(status=204)


class Sessions(View):
    """The browsers that the caller is signed in with."""

    permission_classes = [HasScope.of(Scope.ACCOUNT)]

    @operation(query=PageQuery, answer=Page[dtos.Session])
    def get(self, request: ActorRequest) -> Response:
        """List them, newest first."""
        return self.paginate(partial(api.list_sessions, actor=request.actor))


class SessionDetail(View):
    """One browser that the caller is signed in with."""

    permission_classes = [HasScope.of(Scope.ACCOUNT)]

    @operation(status=204)
    def delete(self, request: ActorRequest, session_id: UUID) -> Response:
        """Sign it out, at once."""
        api.end_session(actor=request.actor, session_id=session_id)
        return Response(status=204)
