"""What identity refuses, and why."""

from bitvault.kernel.errors import Conflict, Forbidden, Invalid, NotFound, Unauthenticated


class InvalidCredentials(Unauthenticated):
    """E-mail and password do not open this tenant; whether the account exists is not told."""

    code = "identity.invalid_credentials"
    title = "E-mail or password is wrong"


class InvalidToken(Unauthenticated):
    """The token is none of ours, expired, revoked, or its holder is not let in any more: all read the same."""

    code = "identity.invalid_token"
    title = "The token is not valid"


class InvalidHandover(Unauthenticated):
    """The ticket was used, is over its minute, or belongs to another tenant."""

    code = "identity.invalid_handover"
    title = "This sign-in link was used or is too old; sign in again"


class EmailUnproved(Forbidden):
    """The address of the account is only claimed; the account opens its own vault alone."""

    code = "identity.email_unproved"
    title = "Confirm your e-mail address first"


class SessionNeeded(Forbidden):
    """Only a browser that is signed in can do this."""

    code = "identity.session_needed"
    title = "This needs a browser session, not a token"


class TenantHostNeeded(Invalid):
    """A browser signs in at the host of a tenant."""

    code = "identity.tenant_host_needed"
    title = "Sign in at the address of your vault"


class SignUpClosed(Forbidden):
    """The operators make tenants here themselves."""

    code = "identity.sign_up_closed"
    title = "New vaults are made by the operators of this installation"


class WeakPassword(Invalid):
    """The password is too easy to guess; the fact ``reasons`` says why."""

    code = "identity.weak_password"
    title = "Choose a stronger password"


class InvalidEmail(Invalid):
    """The text is no e-mail address."""

    code = "identity.invalid_email"
    title = "This is not an e-mail address"


class InvalidCode(Invalid):
    """The code is wrong, was used, has expired, or was guessed at too often: all read the same."""

    code = "identity.invalid_code"
    title = "This code is wrong or too old; ask for a new one"


class EmailTaken(Conflict):
    """The address belongs to another account by now. Told only to those who have proved that the mailbox is theirs."""

    code = "identity.email_taken"
    title = "Another account of yours has this address already; sign in with that one"


class EmailProved(Conflict):
    """The address of the account is proved already."""

    code = "identity.email_proved"
    title = "Your address is confirmed already"


class InvalidLabel(Invalid):
    """A name that people read is empty, too long, or holds control characters; the fact ``field`` tells which."""

    code = "identity.invalid_name"
    title = "This name cannot be used"


class InvalidSlug(Invalid):
    """The address of a vault has another form, or is kept for the installation."""

    code = "identity.invalid_slug"
    title = "This address cannot be used"


class SlugTaken(Conflict):
    """Another tenant has this address."""

    code = "identity.slug_taken"
    title = "This address is taken"


class InvalidDomain(Invalid):
    """The text is no host name that can lead to a tenant."""

    code = "identity.invalid_domain"
    title = "This host name cannot be used"


class DomainTaken(Conflict):
    """The host name leads to another tenant."""

    code = "identity.domain_taken"
    title = "This host name is taken"


class DomainUnproved(Conflict):
    """The host name does not lead to the tenant (yet); fact: ``state``."""

    code = "identity.domain_unproved"
    title = "This host name is not proved"


class TooManyDomains(Invalid):
    """The tenant has as many host names as it can have; fact: ``limit``."""

    code = "identity.too_many_domains"
    title = "The vault has as many host names as it can have"


class AlreadyMember(Conflict):
    """The person belongs to the tenant already."""

    code = "identity.already_member"
    title = "This person is a member already"


class AlreadyInvited(Conflict):
    """The address has an invitation already; the fact ``invitation_id`` names the one to send again."""

    code = "identity.already_invited"
    title = "This address is invited already"


class MemberLimitReached(Conflict):
    """The tenant's plan allows no further member; facts: ``limit``, ``count`` of members, ``invited_count``."""

    code = "identity.member_limit_reached"
    title = "There are as many members as the plan allows"


class GuestLimitReached(Conflict):
    """The tenant's plan allows no further guest; facts: ``limit``, ``count`` of guests, ``invited_count``."""

    code = "identity.guest_limit_reached"
    title = "There are as many guests as the plan allows"


class InvalidInvitation(NotFound):
    """The code is none, was used, withdrawn or replaced, or has expired: all read the same."""

    code = "identity.invalid_invitation"
    title = "This invitation is not good any more"


class EmailNotProved(Forbidden):
    """Mail to others is sent only for somebody who has proved an address of their own."""

    code = "identity.email_not_proved"
    title = "Confirm your own e-mail address first"


class RoleTooStrong(Forbidden):
    """Nobody gives a role that allows more than their own, or changes who administers what they do not."""

    code = "identity.role_too_strong"
    title = "This role may do more than yours"


class NameDiffers(Invalid):
    """Who has a vault deleted types its name; what was typed is another one."""

    code = "identity.name_differs"
    title = "This is not the name of the vault"


class DeletionPending(Conflict):
    """The tenant is to be deleted already; fact: ``due_at``."""

    code = "identity.deletion_pending"
    title = "This vault is to be deleted already"


class UnknownRole(Invalid):
    """The tenant has no such role, or none that can be given like this."""

    code = "identity.unknown_role"
    title = "There is no such role"


class RoleBuiltIn(Conflict):
    """Built-in roles are the same in every tenant."""

    code = "identity.role_built_in"
    title = "This role comes with BitVault and cannot be changed; make one of your own"


class RoleNameTaken(Conflict):
    """Another role of the tenant has this name, whatever its case."""

    code = "identity.role_name_taken"
    title = "There is a role of this name already"


class RoleInUse(Conflict):
    """Somebody has the role, or is invited with it; facts: ``member_count``, ``invitation_count``."""

    code = "identity.role_in_use"
    title = "Somebody has this role; say which one they get instead"


class TooManyRoles(Invalid):
    """The tenant has as many roles of its own as it can; fact: ``limit``."""

    code = "identity.too_many_roles"
    title = "This vault has as many roles as it can have"


class LastOwner(Conflict):
    """A tenant keeps at least one owner."""

    code = "identity.last_owner"
    title = "A vault needs at least one owner"


class InvalidSuccessor(Invalid):
    """Who leaves names somebody else who stays: an active member who can keep files."""

    code = "identity.invalid_successor"
    title = "Choose an active member who takes over what this person holds"


class GroupNameTaken(Conflict):
    """Another group of the tenant has this name, whatever its case."""

    code = "identity.group_name_taken"
    title = "There is a group of this name already"


class GroupsNestedTooDeep(Invalid):
    """A group that lies in another one holds none, and none lies in itself."""

    code = "identity.groups_nested_too_deep"
    title = "Groups are nested once"


class GuestsInNoGroup(Conflict):
    """Groups are of members; guests have what is shared with themselves."""

    code = "identity.guests_in_no_group"
    title = "Guests are in no group; share with them directly"


class InvalidExpiry(Invalid):
    """A token expires in the future and within a year."""

    code = "identity.invalid_expiry"
    title = "This expiry cannot be used"


class ScopesTooWide(Forbidden):
    """A token cannot make another one that may do more than itself."""

    code = "identity.scopes_too_wide"
    title = "The new token would be allowed more than you are"


class InvalidLocale(Invalid):
    """Pages are not to be had in this language."""

    code = "identity.invalid_locale"
    title = "BitVault does not speak this language"


class InvalidTimeZone(Invalid):
    """The name is none of the IANA time zone database."""

    code = "identity.invalid_time_zone"
    title = "There is no time zone of this name"


class PolicyForbids(Forbidden):
    """The tenant's policies do not allow it; facts: ``policy``, and ``field`` where another value of it would do."""

    code = "identity.policy_forbids"
    title = "The rules of this vault do not allow this"


class DomainNotAllowed(Forbidden):
    """The tenant invites members, or guests, from other domains only; fact: ``domains``."""

    code = "identity.domain_not_allowed"
    title = "This vault invites nobody with an address of this domain"


class GuestsComeByShares(Conflict):
    """Guests are invited by sharing something with them; nobody is made one who belongs to the tenant."""

    code = "identity.guests_come_by_shares"
    title = "Guests are invited by sharing something with them"


class InvalidPolicy(Invalid):
    """A policy cannot be like this; fact: ``field``."""

    code = "identity.invalid_policy"
    title = "A rule cannot be like this"


class ColourUnfit(Invalid):
    """The colour is none, or what is written in it, or on it, could not be read by many (WCAG 2.2, 1.4.3).

    Facts: ``field`` (``light`` or ``dark``), and where the contrast is too low ``contrast``, ``needed`` and ``suggestion``, the nearest
    colour that does.
    """

    code = "identity.colour_unfit"
    title = "This color cannot be used"


class ImpersonationRefused(Forbidden):
    """Support may not look at this tenant, or not as this person; fact ``reason``."""

    code = "identity.impersonation_refused"
    title = "You may not look at this tenant as this person"


class ImpersonationOpen(Conflict):
    """The operator looks at a tenant already: one at a time."""

    code = "identity.impersonation_open"
    title = "You look at a tenant already; end that first"


class ImpersonationUnfit(Invalid):
    """The reason is missing, or the time is longer than it may be; fact ``field``."""

    code = "identity.impersonation_unfit"
    title = "Say why, and for how long"
