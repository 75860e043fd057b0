"""The door of identity. Doors of sign-in take no actor, for there is none yet; each of their failures reads the same."""

import hashlib
from collections.abc import Collection
from uuid import UUID

from django.contrib.sessions.backends.base import SessionBase

from apps.admin_platform import api as administration
from apps.identity import browsers, for_operators, handover, names_of_people, queries
from apps.identity.api.accounts import (
    ask_for_password_reset,
    change_password,
    prove_email,
    replace_password,
    reset_password,
    send_email_code,
    update_profile,
)
from apps.identity.api.credentials import (
    create_token,
    end_all_sessions,
    find_actor_by_session,
    find_refused_session,
    find_viewer,
    get_actor_by_token,
    list_tokens,
    list_valid_credentials,
    revoke_token,
)
from apps.identity.api.deletion import (
    close_due_tenants,
    drop_tenant_schema,
    find_deletion,
    finish_deletion,
    get_tenant_overview,
    list_deletions,
    note_deletion_step,
    request_deletion,
    request_deletion_by_operator,
    resume_by_operator,
    suspend_by_operator,
    take_deletion,
    withdraw_deletion,
    withdraw_deletion_by_operator,
)
from apps.identity.api.groups import (
    create_group,
    delete_group,
    find_groups,
    get_group_member,
    list_group_members,
    list_groups,
    put_group_member,
    remove_group_member,
    update_group,
)
from apps.identity.api.people import (
    accept_invitation_as_actor,
    accept_invitation_as_browser,
    accept_invitation_by_password,
    add_member,
    change_role,
    end_membership,
    find_invited,
    find_member_by_address,
    find_members,
    find_standing,
    find_succession,
    find_viewers,
    has_address,
    invite,
    invite_guest,
    list_invitations,
    list_members,
    list_people_ids,
    open_invitation,
    remove_member,
    require_guest_allowed,
    resend_invitation,
    search_directory,
    update_member,
    withdraw_guest,
    withdraw_invitation,
)
from apps.identity.api.roles import create_role, delete_role, list_roles, update_role
from apps.identity.api.tenant import (
    find_policies,
    get_tenant_settings,
    prepare_restore,
    require_link_allowed,
    update_tenant,
)
from apps.identity.api.tenants import activate_tenant, create_tenant, sign_up, suspend_tenant
from apps.identity.dtos import (
    Handover,
    ListedTenant,
    Profile,
    Session,
    SignedIn,
    TenantOfUser,
)
from apps.identity.errors import InvalidCredentials
from apps.identity.operations import passwords, sessions
from bitvault.kernel import tenancy
from bitvault.kernel.actor import Actor
from bitvault.kernel.boundary import exposed
from bitvault.kernel.pages import PAGE_DEFAULT, Page
from bitvault.kernel.tenancy import Tenant

__all__ = [
    "accept_invitation_as_actor",
    "accept_invitation_as_browser",
    "accept_invitation_by_password",
    "activate_tenant",
    "add_member",
    "ask_for_password_reset",
    "change_password",
    "change_role",
    "close_due_tenants",
    "count_tenants_by_state",
    "create_group",
    "create_role",
    "create_tenant",
    "create_token",
    "delete_group",
    "delete_role",
    "drop_tenant_schema",
    "end_all_sessions",
    "end_membership",
    "end_session",
    "find_actor_by_session",
    "find_deletion",
    "find_groups",
    "find_invited",
    "find_known_browser",
    "find_member_by_address",
    "find_members",
    "find_policies",
    "find_refused_session",
    "find_signed_in",
    "find_standing",
    "find_succession",
    "find_tenant",
    "find_tenant_by_host",
    "find_viewer",
    "find_viewers",
    "finish_deletion",
    "get_actor_by_token",
    "get_group_member",
    "get_profile",
    "get_tenant_overview",
    "get_tenant_settings",
    "has_address",
    "invite",
    "invite_guest",
    "issue_handover",
    "issue_handover_to_start",
    "list_active_tenants",
    "list_deletions",
    "list_group_members",
    "list_groups",
    "list_invitations",
    "list_members",
    "list_people_ids",
    "list_roles",
    "list_sessions",
    "list_tenants_for_operators",
    "list_tenants_of_user",
    "list_tokens",
    "list_valid_credentials",
    "name_people",
    "note_deletion_step",
    "open_invitation",
    "prepare_restore",
    "prove_email",
    "put_group_member",
    "redeem_handover",
    "remember_browser",
    "remove_group_member",
    "remove_member",
    "replace_password",
    "request_deletion",
    "request_deletion_by_operator",
    "require_guest_allowed",
    "require_link_allowed",
    "resend_invitation",
    "reset_password",
    "resume_by_operator",
    "revoke_token",
    "search_directory",
    "send_email_code",
    "sign_in",
    "sign_out",
    "sign_up",
    "start_session",
    "suspend_by_operator",
    "suspend_tenant",
    "take_deletion",
    "update_group",
    "update_member",
    "update_profile",
    "update_role",
    "update_tenant",
    "withdraw_deletion",
    "withdraw_deletion_by_operator",
    "withdraw_guest",
    "withdraw_invitation",
]

# --- tenants ---------------------------------------------------------------------------------------------------------------


@exposed
def find_tenant_by_host(*, host: str) -> Tenant | None:
    """Find the active tenant that a host name (without port) leads to; remembered in this process for under a second."""
    return queries.find_tenant_by_host(host)


@exposed
def find_tenant(*, tenant_id: UUID) -> Tenant | None:
    """Find an active tenant by its id."""
    return queries.find_tenant(tenant_id)


@exposed
def list_tenants() -> list[Tenant]:
    """List every tenant, suspended ones too, oldest first."""
    return queries.list_tenants()


@exposed
def list_active_tenants() -> list[Tenant]:
    """List every tenant that is let in, oldest first."""
    return queries.list_active_tenants()


@exposed
def count_tenants_by_state() -> dict[str, int]:
    """Count the installation's tenants by state; one query."""
    return for_operators.count_tenants_by_state()


@exposed
def list_tenants_for_operators(
    *, wanted: str = "", state: str = "", offset: int = 0, limit: int
) -> tuple[int, list[ListedTenant]]:
    """Read a page of tenants, suspended ones and those that are being deleted included, and how many there are; four queries.

    :param wanted: a part of slug or name.
    """
    return for_operators.list_for_operators(wanted=wanted, state=state, offset=offset, limit=limit)


@exposed
def list_tenants_of_user(*, user_id: UUID) -> list[TenantOfUser]:
    """List the active tenants that a person belongs to, by name."""
    return queries.list_tenants_of_user(user_id)


# --- sign-in and sessions --------------------------------------------------------------------------------------------------


@exposed
def find_known_browser(*, cookie: str, email: str) -> str | None:
    """Tell the number of the browser that sent a cookie, when it has proved this account before: for ``sign_in``."""
    return browsers.find_known(cookie, email)


@exposed
def remember_browser(*, cookie: str, email: str) -> str:
    """Write the cookie (``BITVAULT_KNOWN_BROWSER_COOKIE``) of a browser that has just proved an account."""
    return browsers.remember(cookie, email)


@exposed
def sign_in(*, email: str, password: str, tenant: Tenant | None, address: str, browser: str | None = None) -> SignedIn:
    """Prove a person by password: to one tenant, or at the bare host (``tenant=None``) to all of theirs.

    :param browser: the number of a browser that has proved this account before; its guesses are counted apart from strangers'.

    :raises TooManyRequests: too many guesses for this account or from this address; nothing was compared.
    :raises InvalidCredentials: wrong, unknown, or no member: the same answer after the same work.
    :raises Unavailable: guesses cannot be counted now, so none is let through.
    """
    try:
        return passwords.sign_in(email=email, password=password, tenant=tenant, address=address, browser=browser)
    except InvalidCredentials:
        if tenant is not None:
            with tenancy.entered(tenant):
                administration.record_denial(
                    event_type="identity.sign_in.denied",
                    actor_id=None,
                    node_id=None,
                    # Enough to see that one account is guessed at; the log names nobody who may not exist.
                    payload={"account": hashlib.sha256(email.strip().lower().encode()).hexdigest()[:16]},
                )
        raise


@exposed
def start_session(
    *,
    session: SessionBase,
    signed_in: SignedIn,
    tenant: Tenant | None,
    address: str,
    agent: str,
    is_new_browser: bool = False,
) -> Session:
    """Sign a browser in: ``session`` (the request's) gets a new key, bound to the tenant; its old row is gone.

    Without a tenant the session only remembers the person at the bare host. The view rotates the CSRF token afterwards.

    :param is_new_browser: the person is told by mail; browsers that have signed in before are known by their cookie.

    :raises InvalidCredentials: the person is no member any more, or the password changed since it was proved.
    """
    return sessions.start(
        session=session,
        signed_in=signed_in,
        tenant=tenant,
        address=address,
        agent=agent,
        is_new_browser=is_new_browser,
    )


@exposed
def sign_out(*, session: SessionBase) -> None:
    """End the session of the browser that asks; its cookie goes with the answer."""
    sessions.sign_out(session)


@exposed
def find_signed_in(*, session: SessionBase) -> SignedIn | None:
    """Tell whom a session of the bare host remembers, if anybody."""
    return queries.find_signed_in(session)


@exposed
def list_sessions(*, actor: Actor, limit: int = PAGE_DEFAULT, cursor: str | None = None) -> Page[Session]:
    """List where the actor is signed in to this tenant, newest first."""
    return queries.list_sessions(actor, limit=limit, cursor=cursor)


@exposed
def end_session(*, actor: Actor, session_id: UUID) -> None:
    """End one of the actor's own sessions in this tenant, at once.

    :raises NotFound: it is none of them.
    """
    sessions.end(session_id=session_id, by=actor)


@exposed
def issue_handover(*, signed_in: SignedIn, tenant_id: UUID) -> Handover:
    """Make a ticket that carries a sign-in from the bare host to a tenant's host: one use, one minute.

    :raises NotFound: the person is no member of it.
    :raises Unavailable: tickets cannot be kept now.
    """
    return handover.issue(signed_in=signed_in, tenant_id=tenant_id)


@exposed
def issue_handover_to_start(*, session: SessionBase, tenant: Tenant) -> Handover:
    """Make a ticket that carries a session of a tenant's host to the bare host, where all vaults of the person are listed.

    :raises Unauthenticated: nobody is signed in with this session.
    :raises EmailUnproved: the address is only claimed; such an account signs in at its own vault alone.
    """
    return handover.issue_to_start(session, tenant)


@exposed
def redeem_handover(*, ticket: str, tenant: Tenant | None) -> SignedIn:
    """Take a ticket at the host of its tenant; start a session with what it gives.

    :raises InvalidHandover: used, too old, or made for another tenant.
    """
    return handover.redeem(ticket=ticket, tenant=tenant)


@exposed
def get_profile(*, actor: Actor) -> Profile:
    """Tell the actor who they are here."""
    return queries.get_profile(actor)


@exposed
def get_tenant_url(*, tenant: Tenant) -> str:
    """Tell the address of a tenant's pages, without a slash at the end: for links in mails."""
    return queries.find_tenant_url(tenant)


@exposed
def name_people(*, tenant: Tenant, user_ids: Collection[UUID]) -> dict[UUID, str]:
    """Name those of some people who are members of a tenant; a name may be as old as a minute."""
    return names_of_people.find(tenant, user_ids)
