import pytest

from bitvault.kernel import tenancy


@pytest.fixture
def upload(acme, actor):
    """Commit a file of a size through the door; the bytes themselves are the store's matter."""
    from uuid import uuid4

    from apps.files import api as files

    def commit(parent_id, name: str, size_bytes: int, mode: str = "add", by=None):
        with tenancy.entered(acme):
            grant = files.authorise_upload(
                actor=by or actor, parent_id=parent_id, name=name, mode=mode, size_bytes=size_bytes
            )
            return files.commit_upload(
                actor=by or actor,
                upload_id=uuid4(),
                grant=grant,
                blob_id=uuid4(),
                size_bytes=size_bytes,
                content_hash=uuid4().hex * 2,
                media_type="text/plain",
                client_modified_at=None,
            ).node

    return commit


@pytest.fixture
def root_id(acme, actor):
    from apps.files import api as files

    with tenancy.entered(acme):
        return files.ensure_personal_root(actor=actor).id


@pytest.fixture
def stripe(settings):
    """Stripe on this machine, which collects payment for the plan "team"."""
    from apps.billing.models import Plan, PlanPrice
    from apps.billing.payment import stripe_adapter
    from tests.support.stripe_server import KEY, SECRET, start_stripe

    it, server = start_stripe()
    settings.BITVAULT_PAYMENT = "stripe"
    settings.BITVAULT_STRIPE = {"key": KEY, "webhook_secret": SECRET, "url": it.url}
    stripe_adapter._client.cache_clear()
    it.prices = {"price_team": True, "price_traffic": True, "price_large": True}
    for slug, room in (("team", 10 * 1024**3), ("large", 10 * 1024**4)):
        plan, _ = Plan.objects.update_or_create(slug=slug, defaults={"name": slug.title(), "limit_bytes": room})
        PlanPrice.objects.create(plan=plan, metric="plan", price_id=f"price_{slug}")
    yield it
    server.shutdown()
    server.server_close()
    stripe_adapter._client.cache_clear()
