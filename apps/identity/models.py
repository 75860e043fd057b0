"""Tables of identity (all in schema ``public``): who exists, where they belong, and by what they prove it."""

from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.contrib.postgres.fields import ArrayField
from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models
from django.db.models.functions import Length, Lower, Now
from django.db.models.lookups import Exact
from django_tenants.models import DomainMixin, TenantMixin

from apps.identity.credentials import HASH_BYTES
from apps.identity.models_of_codes import EmailCode
from apps.identity.models_of_domains import DomainState, OwnDomain
from apps.identity.models_of_impersonation import Impersonation, ImpersonationEnd
from apps.identity.models_of_installation import (
    OPERATOR_PERMISSIONS,
    DeletionState,
    TenantDeletion,
    TenantState,
    TenantTemplate,
)
from apps.identity.models_of_pictures import Picture
from bitvault.kernel import clock
from bitvault.kernel.actor import BASES, Role
from bitvault.kernel.models import PublicModel, id_field

__all__ = [
    "DeletionState",
    "DomainState",
    "EmailCode",
    "Impersonation",
    "ImpersonationEnd",
    "OwnDomain",
    "Picture",
    "TenantDeletion",
    "TenantState",
    "TenantTemplate",
]


class Tenant(TenantMixin, PublicModel):  # type: ignore[misc] # django-tenants has no types
    """An organisation that keeps files here; its tables stand in the schema ``schema_name``."""

    auto_create_schema = False
    auto_drop_schema = False

    id = id_field()
    slug = models.CharField(max_length=40, unique=True)
    name = models.CharField(max_length=120)
    state = models.CharField(max_length=16, choices=TenantState.choices, default=TenantState.ACTIVE)
    suspended_for = models.CharField(max_length=500, blank=True, db_default="")
    """Why operators let nobody in; empty while they do."""
    locale = models.CharField(max_length=16, blank=True, db_default="")
    """The language of pages for who has chosen none; empty: the browser's."""
    time_zone = models.CharField(max_length=64, blank=True, db_default="")
    """The zone of times for who has chosen none; empty: the browser's."""
    accent_light = models.CharField(max_length=7, blank=True, db_default="")
    accent_dark = models.CharField(max_length=7, blank=True, db_default="")
    """Colours of buttons and links on light and on dark pages, as ``#rrggbb``; both empty: BitVault's."""
    logo_id = models.UUIDField(null=True)
    """The ``Picture`` that is its logo; told here, so that pages know of it with the host's name."""
    policies = models.JSONField(null=True)
    """What it lets its people do, as ``dtos.Policies`` has it; none where nobody has set anything."""
    schema_version = models.CharField(max_length=64)
    """Hash of the migrations that the schema has; tenants whose hash differs are the ones to migrate."""
    created_at = models.DateTimeField()

    class Meta:
        db_table = "identity_tenant"
        permissions = OPERATOR_PERMISSIONS


class Domain(DomainMixin, PublicModel):  # type: ignore[misc] # django-tenants has no types
    """A host name that leads to a tenant."""

    id = id_field()

    class Meta:
        db_table = "identity_domain"


class UserManager(BaseUserManager["User"]):
    """Finds people by e-mail, whatever its case."""

    def get_by_natural_key(self, username: str | None) -> "User":
        """Find a person by the e-mail that they sign in with."""
        return self.get(email__iexact=username)

    def create_superuser(self, email: str, password: str, **fields: Any) -> "User":
        """Make an operator of the installation (``manage.py createsuperuser``)."""
        user = self.model(email=email.strip().lower(), is_staff=True, is_superuser=True, **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user


class User(AbstractBaseUser, PermissionsMixin, PublicModel):
    """A person; belongs to tenants by memberships. ``is_staff`` marks operators of the installation.

    Somebody who has signed up has only claimed an address, as others may have too. Who proves it has it in ``email``.
    """

    last_login = None
    """Sessions tell who signed in, where and when; Django's own column would be written past identity."""

    id = id_field()
    email = models.EmailField(unique=True, null=True)  # noqa: DJ001 - none is not an address, and many accounts have none
    """The address that counts: proved by a code, or vouched for by the operators who made the account."""
    claimed_email = models.EmailField(null=True)  # noqa: DJ001 - none once the address is proved
    """What somebody said at sign-up and has not proved; it opens nothing but the vaults of this account."""
    name = models.CharField(max_length=120, blank=True)
    locale = models.CharField(max_length=16, blank=True, db_default="")
    """The language of pages and mails, one of ``LANGUAGES``; empty: the tenant's, or the browser's."""
    time_zone = models.CharField(max_length=64, blank=True, db_default="")
    """The zone in which times are shown, by its IANA name; empty: the tenant's, or the browser's."""
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)
    password_changed_at = models.DateTimeField(default=clock.now)
    """Sessions whose password was proved before this moment are over, whichever way the password was changed."""

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        db_table = "identity_user"
        constraints = [
            # Two spellings of one address are one person.
            models.UniqueConstraint(Lower("email"), name="identity_user_email_key_unique"),
            models.CheckConstraint(
                condition=models.Q(email__isnull=True, claimed_email__isnull=False)
                | models.Q(email__isnull=False, claimed_email__isnull=True),
                name="identity_user_email_proved_or_claimed",
            ),
        ]
        indexes = [
            # Who claims this address, of the members of a tenant?
            models.Index(
                fields=["claimed_email"],
                name="identity_user_claimed_email",
                condition=models.Q(claimed_email__isnull=False),
            ),
        ]

    @property
    def shown_email(self) -> str:
        """The address that the person goes by, proved or not."""
        return self.email or self.claimed_email or ""

    def set_password(self, raw_password: str | None) -> None:
        """Take another password and note when; Django's own screens and commands come through here too."""
        super().set_password(raw_password)
        self.password_changed_at = clock.now()


class CustomRole(PublicModel):
    """A role of a tenant's own: a built-in one for what its people may do with files, with permissions that the tenant has chosen."""

    id = id_field()
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="roles")
    name = models.CharField(max_length=60)
    base = models.CharField(max_length=16, choices=[(role.value, role.name.title()) for role in BASES])
    """Whether its people work with files, as members do, or look at them, as viewers do."""
    permissions = ArrayField(models.CharField(max_length=32))
    created_at = models.DateTimeField()

    class Meta:
        db_table = "identity_role"
        constraints = [
            models.UniqueConstraint(models.F("tenant"), Lower("name"), name="identity_role_name_unique"),
            models.CheckConstraint(
                condition=models.Q(base__in=[role.value for role in BASES]), name="identity_role_base_known"
            ),
        ]


class MembershipState(models.TextChoices):
    """Whether a member is let in."""

    ACTIVE = "active", "Active"
    DEACTIVATED = "deactivated", "Deactivated"


class Membership(PublicModel):
    """A person in a tenant, with a role."""

    id = id_field()
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=16, choices=[(role.value, role.name.title()) for role in Role])
    custom_role = models.ForeignKey(CustomRole, null=True, on_delete=models.RESTRICT, related_name="+")
    """The role of the tenant's own, whose base ``role`` then is; none: the built-in one."""
    state = models.CharField(
        max_length=16,
        choices=MembershipState.choices,
        default=MembershipState.ACTIVE,
        db_default=MembershipState.ACTIVE.value,
    )
    created_at = models.DateTimeField()

    class Meta:
        db_table = "identity_membership"
        constraints = [
            models.UniqueConstraint(fields=["tenant", "user"], name="identity_membership_once"),
            models.CheckConstraint(
                condition=models.Q(role__in=[role.value for role in Role]), name="identity_membership_role_known"
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=MembershipState.values), name="identity_membership_state_known"
            ),
        ]

    def __str__(self) -> str:
        """Name the row by its id, in every language."""
        return str(self.id)


class Group(PublicModel):
    """Several people of a tenant, who are named together. One that lies in another (``parent``) holds none itself."""

    id = id_field()
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE)
    name = models.CharField(max_length=120)
    parent = models.ForeignKey("self", null=True, on_delete=models.SET_NULL, related_name="children")
    created_at = models.DateTimeField()

    class Meta:
        db_table = "identity_group"
        constraints = [
            models.UniqueConstraint(models.F("tenant"), Lower("name"), name="identity_group_name_unique"),
        ]
        indexes = [
            # A tenant's groups, newest first.
            models.Index(fields=["tenant", "-id"], name="identity_group_list"),
        ]


class GroupMember(PublicModel):
    """Somebody in a group itself; that they belong to the one that it lies in follows from it."""

    id = id_field()
    group = models.ForeignKey(Group, on_delete=models.CASCADE, related_name="members", db_index=False)
    # Which groups is this person in? Asked by each request.
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    is_manager = models.BooleanField(default=False)
    """Whether they say who else is in it."""
    added_at = models.DateTimeField()

    class Meta:
        db_table = "identity_group_member"
        constraints = [
            # Is this person in this group?
            models.UniqueConstraint(fields=["group", "user"], name="identity_group_member_once"),
        ]
        indexes = [
            # Who is in this group, latest first?
            models.Index(fields=["group", "-id"], name="identity_group_member_list"),
        ]


class Departure(PublicModel):
    """Somebody who has left a tenant, and who has what they held there: jobs that hand it over ask here when they run."""

    id = id_field()
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="departures")
    successor = models.ForeignKey(User, on_delete=models.CASCADE, related_name="inheritances")
    left_at = models.DateTimeField()
    was_guest = models.BooleanField(default=False, db_default=False)

    class Meta:
        db_table = "identity_departure"
        constraints = [
            # Who has what this person held here? The last time counts.
            models.UniqueConstraint(fields=["tenant", "user"], name="identity_departure_once"),
        ]


class Invitation(PublicModel):
    """An address that is invited into a tenant. The row goes when the invitation is accepted or withdrawn; events tell of both."""

    id = id_field()
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE)
    email = models.EmailField()
    role = models.CharField(max_length=16, choices=[(role.value, role.name.title()) for role in Role])
    custom_role = models.ForeignKey(CustomRole, null=True, on_delete=models.RESTRICT, related_name="+")
    """The role of the tenant's own, whose base ``role`` then is; none: the built-in one."""
    message = models.CharField(max_length=500, blank=True)
    about = models.CharField(max_length=255, blank=True, default="", db_default="")
    """What was shared with a guest when they were invited, by its name."""
    invited_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL)
    """Who invites; nobody of the tenant where operators do."""
    code_id = models.UUIDField()
    """What the code of the last mail is derived from (``codes``); each mail has another one."""
    code_hash = models.BinaryField(max_length=32, unique=True)
    created_at = models.DateTimeField()
    sent_at = models.DateTimeField()
    expires_at = models.DateTimeField()

    class Meta:
        db_table = "identity_invitation"
        constraints = [
            # One invitation for each address: inviting again is resending.
            models.UniqueConstraint(fields=["tenant", "email"], name="identity_invitation_once"),
            models.CheckConstraint(
                condition=Exact(Length("code_hash"), HASH_BYTES), name="identity_invitation_hash_is_whole"
            ),
            models.CheckConstraint(
                condition=models.Q(role__in=[role.value for role in Role]), name="identity_invitation_role_known"
            ),
        ]
        indexes = [
            # A tenant's open invitations, newest first.
            models.Index(fields=["tenant", "-id"], name="identity_invitation_list"),
            # What is to be swept?
            models.Index(fields=["expires_at"], name="identity_invitation_expired"),
        ]


class ApiToken(PublicModel):
    """A credential of a program: ``bv_<id>_<secret>``; only the SHA-256 of the 256-bit secret is kept."""

    id = id_field()
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE)
    user = models.ForeignKey(User, on_delete=models.CASCADE)
    name = models.CharField(max_length=120)
    secret_hash = models.BinaryField(max_length=32)
    scopes = ArrayField(models.CharField(max_length=32))
    created_at = models.DateTimeField()
    proved_at = models.DateTimeField(db_default=Now())
    """When the password was proved by whose credential it was made; a password that was changed since ends it, whichever way."""
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)
    last_used_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "identity_api_token"
        constraints = [
            # A token without a secret must not exist: comparing with nothing is how such checks are passed.
            models.CheckConstraint(
                condition=Exact(Length("secret_hash"), HASH_BYTES), name="identity_api_token_hash_is_whole"
            ),
        ]
        indexes = [
            # A member's own list of tokens, newest first.
            models.Index(fields=["tenant", "user", "-id"], name="identity_api_token_list"),
        ]

    def __str__(self) -> str:
        """Name the row by its id, in every language."""
        return str(self.id)


class Session(AbstractBaseSession, PublicModel):
    """A browser. Its key is stored hashed: who reads the table cannot take a session over.

    ``tenant`` is the tenant at whose host it was begun, none at the bare and the operators' host; ``user`` is who signed in.
    """

    id = id_field()
    session_key = models.CharField(max_length=64, unique=True)
    tenant = models.ForeignKey(Tenant, null=True, on_delete=models.CASCADE)
    user = models.ForeignKey(User, null=True, on_delete=models.CASCADE)
    address = models.GenericIPAddressField(null=True)
    agent = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    last_seen_at = models.DateTimeField(auto_now_add=True)
    proved_at = models.DateTimeField(null=True)
    """When the password was proved; none for a browser that nobody signed in with."""
    impersonation = models.ForeignKey(Impersonation, null=True, on_delete=models.CASCADE)
    """The operator's look at the tenant that it belongs to, where ``user`` is whom they look as."""

    class Meta:
        db_table = "identity_session"
        indexes = [
            # A member's own list of sessions, newest first.
            models.Index(fields=["tenant", "user", "-id"], name="identity_session_list"),
        ]

    def __str__(self) -> str:
        """Name the row by its id: Django's own way names it by the key."""
        return str(self.id)
