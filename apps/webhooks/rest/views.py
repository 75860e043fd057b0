"""Views of webhooks: parse → door → render."""

from functools import partial
from uuid import UUID

from rest_framework.response import Response

from apps.webhooks import api, dtos, errors
from apps.webhooks.rest import schemas
from bitvault.events.api import BeyondHead
from bitvault.kernel.pages import BadCursor, Page
from bitvault.kernel.permissions import Permission
from bitvault.web.operations import operation
from bitvault.web.pagination import PageQuery
from bitvault.web.permissions import HasPermission
from bitvault.web.requests import ActorRequest
from bitvault.web.views import View

_UNFIT = (errors.TokenNarrowed, errors.AddressUnfit, errors.EventUnknown)


class Webhooks(View):
    """Where the tenant's events are sent."""

    permission_classes = [HasPermission.to(Permission.MANAGE_WEBHOOKS)]

    @operation(answer=Page[dtos.Webhook], problems=(errors.TokenNarrowed,))
    def get(self, request: ActorRequest) -> Response:
        """List them, oldest first, all in one page."""
        return Response(api.list_webhooks(actor=request.actor))

    @operation(
        body=schemas.CreateWebhook, answer=dtos.NewWebhook, status=201, problems=(*_UNFIT, errors.TooManyWebhooks)
    )
    def post(self, request: ActorRequest) -> Response:
        """Make one. Its `secret` stands in this answer and nowhere else."""
        wish = request.body_as(schemas.CreateWebhook).to_wish()
        return Response(api.create_webhook(actor=request.actor, wish=wish), status=201)


class WebhookDetail(View):
    """One webhook."""

    permission_classes = [HasPermission.to(Permission.MANAGE_WEBHOOKS)]

    @operation(body=schemas.ChangeWebhook, answer=dtos.Webhook, problems=_UNFIT)
    def patch(self, request: ActorRequest, webhook_id: UUID) -> Response:
        """Change it. With `enabled: true` it goes on from where it stopped; what waits for a further try is sent at once."""
        changes = request.body_as(schemas.ChangeWebhook).to_changes()
        return Response(api.change_webhook(actor=request.actor, webhook_id=webhook_id, changes=changes))

    @operation(status=204, problems=(errors.TokenNarrowed,))
    def delete(self, request: ActorRequest, webhook_id: UUID) -> Response:
        """Delete it, with what is known of its deliveries."""
        api.delete_webhook(actor=request.actor, webhook_id=webhook_id)
        return Response(status=204)


class WebhookSecret(View):
    """The secret that signs what is sent."""

    permission_classes = [HasPermission.to(Permission.MANAGE_WEBHOOKS)]

    @operation(answer=dtos.NewSecret, problems=(errors.TokenNarrowed,))
    def post(self, request: ActorRequest, webhook_id: UUID) -> Response:
        """Make a new one, which stands in this answer and nowhere else. The one before is good for a day longer: both sign."""
        return Response(api.rotate_secret(actor=request.actor, webhook_id=webhook_id))


class WebhookTest(View):
    """A test of a webhook."""

    permission_classes = [HasPermission.to(Permission.MANAGE_WEBHOOKS)]

    @operation(answer=dtos.Delivery, status=202, problems=(errors.TokenNarrowed,))
    def post(self, request: ActorRequest, webhook_id: UUID) -> Response:
        """Send a test message; how it ends stands among the deliveries. When it succeeds, what waits for a further try is sent too."""
        return Response(api.send_test(actor=request.actor, webhook_id=webhook_id), status=202)


class WebhookReplay(View):
    """A replay for a receiver that has missed events."""

    permission_classes = [HasPermission.to(Permission.MANAGE_WEBHOOKS)]

    @operation(
        body=schemas.Replay,
        answer=dtos.Webhook,
        status=202,
        problems=(errors.TokenNarrowed, errors.WebhookDisabled, errors.EventsGone, BeyondHead),
    )
    def post(self, request: ActorRequest, webhook_id: UUID) -> Response:
        """Send all events again from `from_seq` on, in their order and under their ids, and then go on."""
        from_seq = request.body_as(schemas.Replay).from_seq
        return Response(api.replay(actor=request.actor, webhook_id=webhook_id, from_seq=from_seq), status=202)


class WebhookDeliveries(View):
    """What was sent."""

    permission_classes = [HasPermission.to(Permission.MANAGE_WEBHOOKS)]

    @operation(query=PageQuery, answer=Page[dtos.Delivery], problems=(errors.TokenNarrowed, BadCursor))
    def get(self, request: ActorRequest, webhook_id: UUID) -> Response:
        """List the messages of the last month with their tries, newest first."""
        return self.paginate(partial(api.list_deliveries, actor=request.actor, webhook_id=webhook_id))


class WebhookRedelivery(View):
    """A message that is sent again."""

    permission_classes = [HasPermission.to(Permission.MANAGE_WEBHOOKS)]

    @operation(answer=dtos.Delivery, status=202, problems=(errors.TokenNarrowed,))
    def post(self, request: ActorRequest, webhook_id: UUID, delivery_id: UUID) -> Response:
        """Send it once more as it was, under its id."""
        answer = api.redeliver(actor=request.actor, webhook_id=webhook_id, delivery_id=delivery_id)
        return Response(answer, status=202)


class Events(View):
    """The tenant's events by pull."""

    permission_classes = [HasPermission.to(Permission.MANAGE_WEBHOOKS)]

    @operation(
        query=schemas.ListEvents,
        answer=dtos.Events,
        problems=(errors.TokenNarrowed, errors.EventsGone, BeyondHead),
    )
    def get(self, request: ActorRequest) -> Response:
        """List events after `after_seq`, oldest first, as webhooks tell them, for 30 days. Ask again with `next_after_seq`."""
        query = request.query_as(schemas.ListEvents)
        return Response(api.list_events(actor=request.actor, after_seq=query.after_seq, limit=query.limit))
