"""What guests may ask for: themselves, and what was shared with them. All else is for members, also what is added later.

What a guest may do with a node is judged as for everybody, by their shares and their role; here is decided which questions they ask at all.
"""

_NODE = (
    "nodes/by-path",
    "nodes/<node_ref:node_id>",
    "nodes/<node_ref:node_id>/children",
    "nodes/<node_ref:node_id>/children/batch",
    "nodes/<node_ref:node_id>/path",
    "nodes/<node_ref:node_id>/content",
    "nodes/<node_ref:node_id>/activity",
    "nodes/<uuid:node_id>/comments",
    "nodes/<uuid:node_id>/copy",
    "nodes/<uuid:node_id>/preview",
    "nodes/<uuid:node_id>/text",
    "nodes/<uuid:node_id>/searched-text",
    "nodes/<uuid:node_id>/versions",
    "nodes/<uuid:node_id>/versions/<uuid:version_id>",
    "nodes/<uuid:node_id>/versions/<uuid:version_id>/restore",
    "comments/<uuid:comment_id>",
    "folders",
    "previews",
    "marks",
    "trash/restore",
    "trash/<uuid:node_id>/restore",
)

_BYTES = (
    "uploads",
    "uploads/batch",
    "uploads/batch/commit",
    "uploads/<uuid:upload_id>",
    "uploads/<uuid:upload_id>/commit",
    "uploads/<uuid:upload_id>/parts",
    "archives",
    "jobs",
    "jobs/<uuid:job_id>",
    "jobs/<uuid:job_id>/content",
)

_OWN = (
    "me",
    "auth/logout",
    "auth/password",
    "auth/email/verify",
    "auth/email/send",
    "tokens",
    "tokens/<uuid:token_id>",
    "sessions",
    "sessions/<uuid:session_id>",
    "shared/with-me",
    "shares/<uuid:share_id>",
    "shares/<uuid:share_id>/left",
    "shared/left",
    "search",
    "search/suggest",
    "notifications",
    "notifications/read",
    "notifications/preferences",
    "subscriptions",
    "subscriptions/<uuid:subscription_id>",
    "sync/devices",
    "sync/devices/<uuid:device_id>",
    "sync/snapshot",
    "sync/changes",
    "sync/cursor",
    "sync/conflicts",
    "sync/conflicts/<uuid:conflict_id>/resolve",
    "sync/ticket",
)

_PAGES = (
    "files/<uuid:node_id>/",
    "files/<uuid:node_id>/position",
    "files/details/properties",
    "files/details/versions",
    "files/owners",
    "previews/details",
    "activity/details",
    "annotations/details/comments",
    "shared/",
    "shared/badges",
    "search/",
    "notifications/",
    "notifications/panel/",
    "conflicts/",
    "verify-email/",
    "settings/",
    "settings/security/",
    "settings/tokens/",
    "settings/devices/",
    "settings/notifications/",
)

OPEN = frozenset({*(f"api/v1/{route}" for route in (*_NODE, *_BYTES, *_OWN)), *_PAGES})
"""Routes that guests may use, as the URL configuration spells them."""
