"""Identity over REST: signing in and out, tokens, sessions, the password."""

from uuid import UUID

from django.conf import settings
from django.http import HttpResponse
from django.middleware.csrf import rotate_token
from rest_framework.request import Request

from apps.identity import api, dtos, errors
from apps.identity.rest import schemas
from bitvault.kernel import tenancy
from bitvault.kernel.actor import Scope
from bitvault.kernel.pages import Page
from bitvault.web.address import client_address
from bitvault.web.csrf import CsrfFailed, require_own_origin
from bitvault.web.limits.policies import RouteClass
from bitvault.web.views import ActorRequest, View, operation


class LogIn(View):
    """Signing a browser in at the host of its tenant."""

    limit_class = RouteClass.SIGN_IN

    public = True

    @operation(
        body=schemas.LogIn,
        answer=dtos.SignedIn,
        problems=(errors.InvalidCredentials, errors.TenantHostNeeded, CsrfFailed),
    )
    def post(self, request: Request) -> HttpResponse:
        """Start a session; the answer sets its cookie and a new CSRF cookie. Wrong, unknown and no member read the same."""
        django_request = request._request  # noqa: SLF001 - the session and CSRF belong to Django's request
        require_own_origin(django_request)
        tenant = tenancy.find_current()
        if tenant is None:
            raise errors.TenantHostNeeded
        body = self.parse(schemas.LogIn, request)
        address = client_address(django_request)
        known_browser = settings.BITVAULT_KNOWN_BROWSER_COOKIE
        cookie = request.COOKIES.get(known_browser["key"], "")
        browser = api.find_known_browser(cookie=cookie, email=body.email)
        signed_in = api.sign_in(
            email=body.email, password=body.password, tenant=tenant, address=address, browser=browser
        )
        api.start_session(
            session=django_request.session,
            signed_in=signed_in,
            tenant=tenant,
            address=address,
            agent=request.headers.get("User-Agent", ""),
            is_new_browser=browser is None,
        )
        rotate_token(django_request)
        response = self.render(signed_in)
        # Who only claims an address has proved nothing of whose it is: the browser stays a stranger's.
        if signed_in.email_proved:
            response.set_cookie(value=api.remember_browser(cookie=cookie, email=body.email), **known_browser)
        return response


class LogOut(View):
    """Signing a browser out."""

    write_scope = Scope.ACCOUNT

    @operation(status=204, problems=(errors.SessionNeeded, CsrfFailed))
    def post(self, request: ActorRequest) -> HttpResponse:
        """End the session that asks; the answer takes its cookie back. A token is ended by `DELETE /tokens/{id}`."""
        if request.actor.session_id is None:
            raise errors.SessionNeeded
        api.sign_out(session=request._request.session)  # noqa: SLF001 - the session belongs to Django's request
        return self.render(status=204)


class Password(View):
    """The caller's password."""

    write_scope = Scope.ACCOUNT

    @operation(body=schemas.ChangePassword, status=204, problems=(errors.InvalidCredentials, errors.WeakPassword))
    def post(self, request: ActorRequest) -> HttpResponse:
        """Change it; every other session and token of the caller ends."""
        body = self.parse(schemas.ChangePassword, request)
        api.change_password(actor=request.actor, current_password=body.current_password, new_password=body.new_password)
        return self.render(status=204)


class ForgottenPassword(View):
    """A password that somebody has forgotten."""

    limit_class = RouteClass.SIGN_IN

    public = True

    @operation(body=schemas.ForgottenPassword, status=202)
    def post(self, request: Request) -> HttpResponse:
        """Send a code that resets it to the address, if somebody has it; the answer is the same if not."""
        body = self.parse(schemas.ForgottenPassword, request)
        api.ask_for_password_reset(email=body.email, address=client_address(request._request))  # noqa: SLF001 - the address belongs to Django's request
        return self.render(status=202)


class PasswordReset(View):
    """A new password by a code."""

    limit_class = RouteClass.SIGN_IN

    public = True

    @operation(body=schemas.ResetPassword, status=204, problems=(errors.InvalidCode, errors.WeakPassword))
    def post(self, request: Request) -> HttpResponse:
        """Replace the password of whoever got the code; all sessions and tokens of theirs end."""
        body = self.parse(schemas.ResetPassword, request)
        address = client_address(request._request)  # noqa: SLF001 - the address belongs to Django's request
        api.reset_password(code=body.code, new_password=body.new_password, address=address)
        return self.render(status=204)


class EmailProof(View):
    """The proof that the address of the caller's account is theirs."""

    limit_class = RouteClass.SIGN_IN

    write_scope = Scope.ACCOUNT

    @operation(body=schemas.EmailCode, status=204, problems=(errors.InvalidCode, errors.EmailTaken))
    def post(self, request: ActorRequest) -> HttpResponse:
        """Enter the code that was sent there; wrong, used and expired ones read the same, and ten guesses end one."""
        body = self.parse(schemas.EmailCode, request)
        api.prove_email(actor=request.actor, code=body.code)
        return self.render(status=204)


class EmailCode(View):
    """The code that proves the address of the caller's account."""

    write_scope = Scope.ACCOUNT

    @operation(status=202, problems=(errors.EmailProved,))
    def post(self, request: ActorRequest) -> HttpResponse:
        """Send another one; the ones before end."""
        api.send_email_code(actor=request.actor)
        return self.render(status=202)


class Members(View):
    """The people in the tenant."""

    read_scope = Scope.ADMIN

    @operation(query=schemas.PageOf, answer=Page[dtos.Member])
    def get(self, request: ActorRequest) -> HttpResponse:
        """List them, newest first; for owners and administrators."""
        query = self.parse_query(schemas.PageOf, request)
        return self.render(api.list_members(actor=request.actor, limit=query.limit, cursor=query.cursor))


class Tokens(View):
    """The caller's API tokens for this tenant."""

    read_scope = Scope.ACCOUNT
    write_scope = Scope.ACCOUNT

    @operation(query=schemas.PageOf, answer=Page[dtos.Token])
    def get(self, request: ActorRequest) -> HttpResponse:
        """List them, newest first, without their secrets."""
        query = self.parse_query(schemas.PageOf, request)
        return self.render(api.list_tokens(actor=request.actor, limit=query.limit, cursor=query.cursor))

    @operation(
        body=schemas.CreateToken,
        answer=dtos.NewToken,
        status=201,
        problems=(errors.InvalidExpiry, errors.InvalidLabel, errors.ScopesTooWide),
    )
    def post(self, request: ActorRequest) -> HttpResponse:
        """Make one. `token` is in this answer only; it is kept nowhere, so a repeated request makes another token."""
        body = self.parse(schemas.CreateToken, request)
        made = api.create_token(
            actor=request.actor, name=body.name, scopes=frozenset(body.scopes), expires_at=body.expires_at
        )
        return self.render(made, status=201)


class TokenDetail(View):
    """One API token of the caller's."""

    write_scope = Scope.ACCOUNT

    @operation(status=204)
    def delete(self, request: ActorRequest, token_id: UUID) -> HttpResponse:
        """Revoke it; it stops working within a second."""
        api.revoke_token(actor=request.actor, token_id=token_id)
        return self.render(status=204)


class Sessions(View):
    """The browsers that the caller is signed in with."""

    read_scope = Scope.ACCOUNT

    @operation(query=schemas.PageOf, answer=Page[dtos.Session])
    def get(self, request: ActorRequest) -> HttpResponse:
        """List them, newest first."""
        query = self.parse_query(schemas.PageOf, request)
        return self.render(api.list_sessions(actor=request.actor, limit=query.limit, cursor=query.cursor))


class SessionDetail(View):
    """One browser that the caller is signed in with."""

    write_scope = Scope.ACCOUNT

    @operation(status=204)
    def delete(self, request: ActorRequest, session_id: UUID) -> HttpResponse:
        """Sign it out, at once."""
        api.end_session(actor=request.actor, session_id=session_id)
        return self.render(status=204)
