"""Notifications' REST views: parse → door → render."""

from functools import partial
from uuid import UUID

from msgspec import UNSET
from rest_framework.response import Response

from apps.files.dtos import NodeRef
from apps.notifications import api, errors
from apps.notifications.dtos import Activity, Choice, Notices, Preferences, QuietHours, Subscription
from apps.notifications.rest import schemas
from bitvault.kernel.actor import PermissionMissing, Scope
from bitvault.kernel.errors import Invalid
from bitvault.kernel.pages import BadCursor, Page
from bitvault.web.derived import require_position
from bitvault.web.operations import operation
from bitvault.web.permissions import HasScope
from bitvault.web.requests import ActorRequest
from bitvault.web.views import View


class Notifications(View):
    """What the caller is told of."""

    @operation(query=schemas.NotificationsQuery, answer=Notices, problems=(BadCursor,))
    def get(self, request: ActorRequest) -> Response:
        """List it, newest first. Of several things in a row by one person in one place there is one notice with their `count`."""
        query = request.query_as(schemas.NotificationsQuery)
        require_position(api.CONSUMER, query)
        return Response(
            api.list_notices(actor=request.actor, unread=query.unread, limit=query.limit, cursor=query.cursor)
        )


class NotificationsRead(View):
    """What of it is read."""

    permission_classes = [HasScope.of(Scope.ACCOUNT)]
    publishes = False

    @operation(body=schemas.MarkRead, answer=schemas.Unread, problems=(Invalid,), idempotent=True)
    def post(self, request: ActorRequest) -> Response:
        """Mark some notices (`ids`), or one and all before it (`up_to_id`), as read."""
        body = request.body_as(schemas.MarkRead)
        if (body.ids is None) == (body.up_to_id is None):
            raise Invalid("Say either ids or up_to_id.")
        return Response(schemas.Unread(api.mark_read(actor=request.actor, ids=body.ids or (), up_to_id=body.up_to_id)))


class NotificationPreferences(View):
    """How the caller is told of each topic: in the browser, by mail, and by push; and when neither mail nor push comes."""

    permission_classes = [HasScope.of(Scope.ACCOUNT)]
    publishes = False

    @operation(answer=Preferences)
    def get(self, request: ActorRequest) -> Response:
        """Read it."""
        return Response(api.get_preferences(actor=request.actor))

    @operation(
        body=schemas.SetPreferences, answer=Preferences, problems=(errors.MailNotOffered, errors.QuietHoursUnfit)
    )
    def put(self, request: ActorRequest) -> Response:
        """Change it; topics that are not named stay as they are.

        In `quiet_hours` (the caller's time zone) nothing is mailed or pushed; what would have come is told by one mail, and one pushed
        message, afterwards. `null` ends them.
        """
        body = request.body_as(schemas.SetPreferences)
        wanted = [
            Choice(one.topic, one.browser, one.mail, None if one.push is UNSET else one.push) for one in body.items
        ]
        quiet = body.quiet_hours or None
        return Response(
            api.set_preferences(
                actor=request.actor,
                preferences=wanted,
                changes_quiet_hours=body.quiet_hours is not UNSET,
                quiet_hours=None if quiet is None else QuietHours(quiet.start, quiet.end),
            )
        )


class Subscriptions(View):
    """What the caller follows and mutes."""

    permission_classes = [HasScope.of(Scope.FILES_READ, write=Scope.ACCOUNT)]
    publishes = False

    @operation(query=schemas.SubscriptionsQuery, answer=Page[Subscription], problems=(BadCursor,))
    def get(self, request: ActorRequest) -> Response:
        """List it, newest first."""
        query = request.query_as(schemas.SubscriptionsQuery)
        return self.paginate(partial(api.list_subscriptions, actor=request.actor, node_id=query.node_id))

    @operation(
        body=schemas.Subscribe,
        answer=Subscription,
        status=201,
        problems=(errors.TooManySubscriptions,),
        idempotent=True,
    )
    def post(self, request: ActorRequest) -> Response:
        """Follow a file, or a folder with all below it, or mute it; what was said of it before is replaced."""
        body = request.body_as(schemas.Subscribe)
        return Response(api.subscribe(actor=request.actor, node_id=body.node_id, channel=body.channel), status=201)


class SubscriptionDetail(View):
    """One thing that the caller follows or mutes."""

    permission_classes = [HasScope.of(Scope.ACCOUNT)]
    publishes = False

    @operation(status=204)
    def delete(self, request: ActorRequest, subscription_id: UUID) -> Response:
        """Neither follow nor mute it any more."""
        api.unsubscribe(actor=request.actor, subscription_id=subscription_id)
        return Response(status=204)


class NodeActivity(View):
    """What happened to a file, or to a folder and below it."""

    @operation(query=schemas.ActivityQuery, answer=Activity, problems=(BadCursor,))
    def get(self, request: ActorRequest, node_id: NodeRef) -> Response:
        """List it, newest first, as far as the caller sees it now."""
        query = request.query_as(schemas.ActivityQuery)
        require_position(api.CONSUMER, query)
        return Response(
            api.list_node_activity(actor=request.actor, node_id=node_id, limit=query.limit, cursor=query.cursor)
        )


class ActivityList(View):
    """What the caller did, or what happened in the tenant."""

    @operation(query=schemas.WhoseActivityQuery, answer=Activity, problems=(BadCursor, PermissionMissing))
    def get(self, request: ActorRequest) -> Response:
        """List it, newest first; `whose=tenant` is for administrators, who see of it what they may."""
        query = request.query_as(schemas.WhoseActivityQuery)
        require_position(api.CONSUMER, query)
        return Response(
            api.list_activity(actor=request.actor, whose=query.whose, limit=query.limit, cursor=query.cursor)
        )
