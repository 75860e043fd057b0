"""The page where administrators name domains of the vault's own, and prove them. Changes go over REST."""

from typing import Any

from django.utils.translation import gettext_lazy as _

from apps.identity.api import domains as api
from apps.identity.ui.settings import SettingsPage
from bitvault.kernel.actor import Actor
from bitvault.kernel.permissions import Permission

STATES = {
    "pending": _("Waits for its record"),
    "proved": _("Leads to this vault"),
    "lost": _("Leads here no more: its record was away for a week"),
}

PROBLEMS = {
    "record_missing": _(
        "There was no TXT record of this name. A new record can take some minutes to be seen everywhere."
    ),
    "record_differs": _("There are TXT records of this name, and none has this value."),
    "no_answer": _("The name servers of this domain did not answer. Nothing has changed; try again later."),
    "taken": _("This host name leads to another vault. Its administrators have to remove it there first."),
}


class Domains(SettingsPage):
    """Domains of the vault, for those who administer it."""

    tab = "domains"
    permissions = (Permission.MANAGE_SETTINGS,)
    template = "identity/settings_domains.html"

    def facts(self, actor: Actor) -> dict[str, Any]:
        """Give the domains, and how each stands."""
        found = api.list_domains(actor=actor).items
        return {
            "domains": [
                {"domain": one, "state": STATES[one.state], "problem": PROBLEMS.get(one.problem or "", "")}
                for one in found
            ]
        }
