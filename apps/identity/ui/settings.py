"""The pages where people look after their own account: profile, looks, password, sessions, tokens. Changes go over REST."""

from typing import Any

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _

from apps.identity import api
from apps.identity.api import pictures
from apps.identity.dtos import Session
from apps.identity.ui.roles import LABELS
from bitvault.kernel.actor import Actor, Scope
from bitvault.kernel.permissions import ADMINISTRATION
from bitvault.web import agents
from bitvault.web.pages import MemberPage, PersonRequest

_SCOPES = (
    (Scope.FILES_READ, _("Read files"), _("List folders and download.")),
    (Scope.FILES_WRITE, _("Change files"), _("Upload, rename, move and delete.")),
    (Scope.ACCOUNT, _("This account"), _("Sessions, tokens and the password.")),
    (Scope.ADMIN, _("Administration"), _("Members and settings of the vault.")),
)


class SettingsPage(MemberPage):
    """A page of one's own account."""

    section = "settings"
    tab = ""
    template = ""

    def get(self, request: PersonRequest) -> HttpResponse:
        """Show the page."""
        return render(request, self.template, {"tab": self.tab, **self.facts(request.actor)})

    def facts(self, actor: Actor) -> dict[str, Any]:
        """Give what this page shows besides the person."""
        return {}


class Profile(SettingsPage):
    """Who one is, and how pages look."""

    tab = "profile"
    template = "identity/settings_profile.html"

    def facts(self, actor: Actor) -> dict[str, Any]:
        """Give what one may do in the vault."""
        own = pictures.find_appearance(actor=actor)
        return {
            "role": own.custom_role or LABELS[actor.role],
            "languages": settings.LANGUAGES,
            "picture_id": own.picture_id,
        }


class Security(SettingsPage):
    """The password, and where one is signed in."""

    tab = "security"
    template = "identity/settings_security.html"

    def facts(self, actor: Actor) -> dict[str, Any]:
        """Give the browsers."""
        return {"sessions": [_describe(session) for session in api.list_sessions(actor=actor).items]}


class Tokens(SettingsPage):
    """What programs sign in with."""

    tab = "tokens"
    template = "identity/settings_tokens.html"

    def facts(self, actor: Actor) -> dict[str, Any]:
        """Give the tokens, and what a new one may be allowed."""
        scopes = [choice for choice in _SCOPES if choice[0] is not Scope.ADMIN or actor.may(*ADMINISTRATION)]
        return {"tokens": api.list_tokens(actor=actor).items, "scopes": scopes}


def _describe(session: Session) -> dict[str, object]:
    """Give a session with its browser in words that people know it by."""
    return {
        "facts": session,
        "title": agents.name_browser(session.agent),
        "phone": agents.is_phone(session.agent),
    }
