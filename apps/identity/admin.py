"""Operators' screens (on their own host): tenants, domains, people, memberships, tokens, sessions. Secrets and hashes are never shown.

What changes here goes through operations, so it has its event, and what was taken away stops working at once.
"""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.core.exceptions import ValidationError
from django.db.models import Count, QuerySet
from django.forms import ModelForm
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apps.identity import journal_admin, models, operator_roles, queries  # noqa: F401 - importing the journal registers its screen
from apps.identity.errors import InvalidDomain
from apps.identity.operations import members, passwords, people, sessions, tenants, texts, tokens
from apps.identity.screens import ByOperations, NewTenant, ReadOnly, operator_id
from bitvault.kernel.actor import Role
from bitvault.kernel.errors import BitVaultError


class DomainForm(forms.ModelForm):  # type: ignore[type-arg] # generic in the stubs only
    """A host name of the tenant's own."""

    class Meta:
        model = models.Domain
        fields = ("domain", "is_primary")

    def clean_domain(self) -> str:
        """Refuse what is no host name, or one below the bare host."""
        try:
            return texts.read_domain(self.cleaned_data["domain"], slug=self.instance.tenant.slug)
        except InvalidDomain as error:
            raise ValidationError(error.detail) from error


class DomainsOfTenant(admin.TabularInline):  # type: ignore[type-arg] # generic in the stubs only
    """Host names that lead to the tenant, besides the one of its slug."""

    model = models.Domain
    form = DomainForm
    extra = 0


class PeopleOfTenant(admin.TabularInline):  # type: ignore[type-arg] # generic in the stubs only
    """Who is in the tenant; roles change and people leave on the screen of memberships."""

    model = models.Membership
    template = "admin/edit_inline/read_only.html"
    fields = ("email", "role", "state", "created_at")
    readonly_fields = fields
    extra = 0
    can_delete = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[models.Membership]:
        return super().get_queryset(request).select_related("user").order_by("id")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.display(description=_("Person"))
    def email(self, membership: models.Membership) -> str:
        return membership.user.shown_email


class InvitationsOfTenant(admin.TabularInline):  # type: ignore[type-arg] # generic in the stubs only
    """Who is invited and has not come; what a code is derived from is not shown."""

    model = models.Invitation
    template = "admin/edit_inline/read_only.html"
    fields = ("email", "role", "sent_at", "expires_at")
    readonly_fields = fields
    extra = 0
    can_delete = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[models.Invitation]:
        return super().get_queryset(request).defer("code_id", "code_hash")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(models.Tenant)
class TenantAdmin(ByOperations):
    """Tenants: made here as anywhere else, and renamed. They are suspended, with a reason, and deleted on their page under “Deletions”."""

    list_display = ("slug", "name", "state", "member_count", "created_at")
    list_filter = ("state", "created_at")
    search_fields = ("slug", "name", "domains__domain", "=id")
    search_help_text = _("Address, name, domain or id")
    date_hierarchy = "created_at"
    ordering = ("-created_at",)
    readonly_fields = ("id", "slug", "state", "schema_name", "schema_version", "created_at")
    fields = ("name", *readonly_fields)
    inlines = (DomainsOfTenant, PeopleOfTenant, InvitationsOfTenant)

    def get_queryset(self, request: HttpRequest) -> QuerySet[models.Tenant]:
        return models.Tenant.objects.annotate(member_count=Count("memberships"))

    @admin.display(description=_("Members"), ordering="member_count")
    def member_count(self, tenant: Any) -> int:
        return int(tenant.member_count)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:  # noqa: FBT001, FBT002 - Django's signature
        return super().get_form(request, obj, change, **kwargs) if obj is not None else NewTenant

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.fields if obj is not None else ("slug", "name", "owner_email", "owner_name", "owner_password")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.readonly_fields if obj is not None else ()

    def get_inlines(self, request: HttpRequest, obj: Any) -> Any:
        return self.inlines if obj is not None else ()

    def save_model(self, request: HttpRequest, obj: models.Tenant, form: "ModelForm[Any]", change: bool) -> None:  # noqa: FBT001 - Django's signature
        entered = form.cleaned_data

        def rename() -> models.Tenant:
            tenants.rename(obj.pk, entered["name"])
            return models.Tenant.objects.get(pk=obj.pk)

        def create() -> models.Tenant:
            made = tenants.create(
                slug=entered["slug"],
                name=entered["name"],
                owner_email=entered["owner_email"],
                owner_password=entered["owner_password"],
                owner_name=entered["owner_name"],
                domain=None,
            )
            return models.Tenant.objects.get(pk=made.id)

        self.want(request, rename if change else create)


@admin.register(models.Domain)
class DomainAdmin(ReadOnly):
    """Host names; they are edited with their tenant."""

    list_display = ("domain", "tenant_slug", "is_primary")
    list_filter = ("is_primary",)
    search_fields = ("domain", "tenant__slug")
    list_select_related = ("tenant",)

    @admin.display(description=_("Tenant"), ordering="tenant__slug")
    def tenant_slug(self, domain: models.Domain) -> str:
        return str(domain.tenant.slug)


class MembershipsOfUser(admin.TabularInline):  # type: ignore[type-arg] # generic in the stubs only
    """Where the person belongs."""

    model = models.Membership
    template = "admin/edit_inline/read_only.html"
    fields = ("tenant_slug", "role", "state", "created_at")
    readonly_fields = fields
    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.display(description=_("Tenant"))
    def tenant_slug(self, membership: models.Membership) -> str:
        return membership.tenant.slug


class PersonForm(forms.ModelForm):  # type: ignore[type-arg] # generic in the stubs only
    """A person, with a field for another password; the one that is cannot be seen."""

    new_password = forms.CharField(
        label=_("New password"),
        widget=forms.PasswordInput,
        required=False,
        help_text=_("Fill in only to replace it: all sessions and tokens of the person end."),
    )

    roles = forms.MultipleChoiceField(
        choices=lambda: [(role.name, f"{role.label}: {role.description}") for role in operator_roles.ROLES],
        required=False,
        widget=forms.CheckboxSelectMultiple,
        label=_("Operators' roles"),
        help_text=_("What the person may do here without being a superuser; it takes staff status as well."),
    )

    class Meta:
        model = models.User
        fields = ("name", "is_active", "is_staff", "is_superuser")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "roles" in self.fields:  # it is not where the form can only be looked at
            self.fields["roles"].initial = people.read_rights(self.instance).roles

    def clean(self) -> dict[str, Any]:
        """Refuse roles of somebody who cannot sign in here."""
        cleaned = super().clean() or {}
        if cleaned.get("roles") and not cleaned.get("is_staff"):
            raise ValidationError({"roles": _("Roles are for operators: give staff status as well.")})
        return cleaned


@admin.register(models.User)
class UserAdmin(ByOperations):
    """People. Somebody who is not active is let in nowhere, from the next request on."""

    form = PersonForm
    list_display = ("email", "claimed_email", "name", "is_active", "is_staff", "roles", "tenant_count", "created_at")
    list_filter = ("is_active", "is_staff", "is_superuser", "created_at")
    search_fields = ("email", "claimed_email", "name", "=id")
    search_help_text = _("E-mail, name or id")
    ordering = ("email",)
    readonly_fields = ("id", "email", "claimed_email", "created_at", "password_changed_at")
    fields = ("name", "is_active", "is_staff", "is_superuser", "roles", "new_password", *readonly_fields)
    inlines = (MembershipsOfUser,)

    def get_queryset(self, request: HttpRequest) -> QuerySet[models.User]:
        return models.User.objects.annotate(tenant_count=Count("memberships")).prefetch_related("groups")

    @admin.display(description=_("Operators' roles"))
    def roles(self, person: models.User) -> str:
        if not person.is_staff:
            return ""
        found = [operator_roles.find_role(group.name) for group in person.groups.all()]
        return (
            gettext("everything")
            if person.is_superuser
            else ", ".join(str(role.label) for role in found if role is not None)
        )

    @admin.display(description=_("Tenants"), ordering="tenant_count")
    def tenant_count(self, person: Any) -> int:
        return int(person.tenant_count)

    def save_model(self, request: HttpRequest, obj: models.User, form: "ModelForm[Any]", change: bool) -> None:  # noqa: FBT001 - Django's signature
        entered = form.cleaned_data

        def change_person() -> models.User:
            before = people.change(
                user_id=obj.pk,
                name=entered["name"],
                is_active=entered["is_active"],
                is_staff=entered["is_staff"],
                is_superuser=entered["is_superuser"],
                roles=entered["roles"],
                changed_by=operator_id(request),
            )
            person = models.User.objects.get(pk=obj.pk)
            after = people.read_rights(person)
            if after != before:
                note = f"Rights of operators: {before} → {after}."
                LogEntry.objects.log_actions(operator_id(request), [person], CHANGE, change_message=note)
            if entered["new_password"]:
                passwords.replace(person=person, new_password=entered["new_password"], by=None)
            return person

        self.want(request, change_person)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whoever could change people could make themselves a superuser, so only superusers do."""
        return bool(request.user.is_superuser)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """People come with a tenant or into one; operators by ``manage.py createsuperuser``."""
        return False


@admin.register(models.Membership)
class MembershipAdmin(ReadOnly):
    """Who belongs where, as what."""

    list_display = ("email", "tenant_slug", "role", "state", "created_at")
    list_filter = ("role", "state", "created_at")
    search_fields = ("user__email", "user__claimed_email", "user__name", "tenant__slug")
    list_select_related = ("user", "tenant")
    actions = ("make_owner", "make_admin", "make_member", "make_viewer", "remove")

    @admin.display(description=_("Person"), ordering="user__email")
    def email(self, membership: models.Membership) -> str:
        return membership.user.shown_email

    @admin.display(description=_("Tenant"), ordering="tenant__slug")
    def tenant_slug(self, membership: models.Membership) -> str:
        return membership.tenant.slug

    @admin.action(description=_("Role: owner"), permissions=["operate"])
    def make_owner(self, request: HttpRequest, chosen: QuerySet[models.Membership]) -> None:
        self._change(request, chosen, Role.OWNER)

    @admin.action(description=_("Role: admin"), permissions=["operate"])
    def make_admin(self, request: HttpRequest, chosen: QuerySet[models.Membership]) -> None:
        self._change(request, chosen, Role.ADMIN)

    @admin.action(description=_("Role: member"), permissions=["operate"])
    def make_member(self, request: HttpRequest, chosen: QuerySet[models.Membership]) -> None:
        self._change(request, chosen, Role.MEMBER)

    @admin.action(description=_("Role: viewer"), permissions=["operate"])
    def make_viewer(self, request: HttpRequest, chosen: QuerySet[models.Membership]) -> None:
        self._change(request, chosen, Role.VIEWER)

    @admin.action(description=_("Remove from the tenant; an owner takes over their files"), permissions=["operate"])
    def remove(self, request: HttpRequest, chosen: QuerySet[models.Membership]) -> None:
        self._change(request, chosen, None)

    def _change(self, request: HttpRequest, chosen: QuerySet[models.Membership], role: Role | None) -> None:
        for membership in chosen.select_related("tenant", "user"):
            tenant = queries.to_tenant(membership.tenant)
            try:
                if role is None:
                    members.remove(
                        tenant=tenant,
                        user_id=membership.user_id,
                        successor_id=None,
                        removed_by=operator_id(request),
                    )
                else:
                    members.change_role(
                        tenant=tenant, user_id=membership.user_id, role=role, changed_by=operator_id(request)
                    )
            except BitVaultError as error:
                self.message_user(request, f"{membership.user.shown_email}: {error.detail}", messages.ERROR)


@admin.register(models.ApiToken)
class TokenAdmin(ReadOnly):
    """Tokens, by whom and how lately they were used; neither secret nor hash is read for this screen."""

    list_display = ("name", "email", "tenant_slug", "scopes", "created_at", "expires_at", "last_used_at", "revoked_at")
    list_filter = (("revoked_at", admin.EmptyFieldListFilter), "expires_at", "last_used_at")
    search_fields = ("=id", "name", "user__email", "user__claimed_email", "tenant__slug")
    search_help_text = _("Id (the middle part of a token), name, e-mail or tenant")
    list_select_related = ("user", "tenant")
    fields = ("id", *list_display)
    actions = ("revoke",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[models.ApiToken]:
        return super().get_queryset(request).defer("secret_hash")

    @admin.display(description=_("Person"), ordering="user__email")
    def email(self, token: models.ApiToken) -> str:
        return token.user.shown_email

    @admin.display(description=_("Tenant"), ordering="tenant__slug")
    def tenant_slug(self, token: models.ApiToken) -> str:
        return token.tenant.slug

    @admin.action(description=_("Revoke"), permissions=["operate"])
    def revoke(self, request: HttpRequest, chosen: QuerySet[models.ApiToken]) -> None:
        for token in chosen.select_related("tenant"):
            tokens.revoke_by_operator(token, operator_id=operator_id(request))
        self.message_user(request, _("They stop working within a second."), messages.SUCCESS)


@admin.register(models.Session)
class SessionAdmin(ReadOnly):
    """Browsers that are signed in; neither key nor data is read for this screen."""

    list_display = ("email", "tenant_slug", "address", "agent", "created_at", "last_seen_at", "expire_date")
    list_filter = ("created_at", "last_seen_at")
    search_fields = ("user__email", "user__claimed_email", "tenant__slug", "address", "=id")
    list_select_related = ("user", "tenant")
    fields = ("id", *list_display)
    ordering = ("-last_seen_at",)
    actions = ("end",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[models.Session]:
        return super().get_queryset(request).filter(user__isnull=False).defer("session_data")

    @admin.display(description=_("Person"), ordering="user__email")
    def email(self, session: models.Session) -> str:
        return session.user.shown_email if session.user is not None else "–"

    @admin.display(description=_("Tenant"), ordering="tenant__slug")
    def tenant_slug(self, session: models.Session) -> str:
        return session.tenant.slug if session.tenant is not None else "–"

    @admin.action(description=_("End: sign these browsers out"), permissions=["operate"])
    def end(self, request: HttpRequest, chosen: QuerySet[models.Session]) -> None:
        for session in chosen.select_related("tenant"):
            sessions.end_by_operator(session, operator_id=operator_id(request))
        self.message_user(request, _("These browsers are signed out."), messages.SUCCESS)
