"""Kinds of happenings, the topics that they are told under, and how each is told unless somebody has chosen otherwise."""

from uuid import UUID

from apps.notifications.dtos import Kind, Preference, Topic
from bitvault.kernel.permissions import Permission

ADMINISTRATORS_ID = UUID(int=1)
"""Stands for who administers the tenant, as ``EVERYONE_ID`` does for all members."""

ADMINISTERING = Permission.MANAGE_SETTINGS
"""What makes somebody one of those."""

ON_NODES: frozenset[Kind] = frozenset(
    {"folder_created", "added", "changed", "conflict", "renamed", "moved", "trashed", "restored", "commented"}
)
"""What happens to files and folders: told to who follows them."""

IN_ACTIVITY: frozenset[Kind] = ON_NODES | {"shared", "joined", "invited", "locked", "unlocked", "lock_ended"}
"""What lists of activity show; the rest is between a person and the vault."""

OWN: frozenset[Kind] = frozenset({"conflict", "signed_in", "quota", "job_done", "job_failed"})
"""What somebody is told of although they did it themselves."""

_DIRECT: dict[Kind, Topic] = {
    "shared": "shared",
    "commented": "comments",
    "mentioned": "comments",
    "answered": "comments",
    "asked": "asked",
    "joined": "joined",
    "signed_in": "signed_in",
    "quota": "quota",
    "statement": "statements",
    "domain_missed": "domains",
    "domain_found": "domains",
    "domain_lost": "domains",
    "plan_paid": "payment",
    "plan_ended": "payment",
    "payment_failed": "payment",
    "payment_reminder": "payment",
    "payment_settled": "payment",
    "conflict": "conflict",
    "lock_ended": "conflict",
    "held": "conflict",
    "hold_lifted": "conflict",
    "received": "links",
    "link_ending": "links",
    "link_used": "link_used",
    "webhook_off": "webhooks",
    "siem_failing": "webhooks",
    "siem_works": "webhooks",
    "malware": "malware",
    "quarantined": "malware",
    "blocked": "malware",
    "vault_deletion": "vault",
    "vault_kept": "vault",
    "support": "vault",
    "job_done": "jobs",
    "job_failed": "jobs",
}

USUAL: dict[Topic, Preference] = {
    one.topic: one
    for one in (
        Preference("shared", browser=True, mail="off", push=True),
        Preference("asked", browser=True, mail="at_once", push=True),
        Preference("comments", browser=True, mail="at_once", push=True),
        Preference("followed", browser=True, mail="daily", push=False),
        Preference("conflict", browser=True, mail="off", push=True),
        Preference("joined", browser=True, mail="daily", push=False),
        Preference("quota", browser=True, mail="at_once", push=True),
        Preference("statements", browser=True, mail="at_once", push=False),
        Preference("payment", browser=True, mail="at_once", push=True),
        Preference("domains", browser=True, mail="at_once", push=True),
        Preference("links", browser=True, mail="at_once", push=True),
        Preference("link_used", browser=True, mail="off", push=False),
        Preference("jobs", browser=True, mail="off", push=True),
        Preference("webhooks", browser=True, mail="at_once", push=True),
        Preference("malware", browser=True, mail="at_once", push=True),
        Preference("vault", browser=True, mail="off", push=True),
        Preference("signed_in", browser=True, mail="off", push=True),
    )
}

WITHOUT_MAIL: frozenset[Topic] = frozenset({"signed_in", "vault"})
"""Identity itself writes: to who signs in with a browser that is not known, and to owners and administrators of a vault that is to be
deleted, or that support looks at. That cannot be switched off."""


def topic_of(kind: Kind, *, is_direct: bool) -> Topic:
    """Tell under which topic somebody hears of an entry that concerns them, or of one in what they follow."""
    return _DIRECT[kind] if is_direct else "followed"
