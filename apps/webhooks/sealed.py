"""What this module keeps sealed."""

from collections.abc import Iterator

from apps.webhooks.messages import PURPOSE
from apps.webhooks.models import Webhook
from bitvault.kernel.resealing import Column, Counts, sealed_column, walk


@sealed_column(Webhook, "secret", purpose=PURPOSE)
@sealed_column(Webhook, "previous_secret", purpose=PURPOSE)
def reseal_secrets(column: Column) -> Iterator[Counts]:
    """Seal the secrets that sign messages anew."""
    yield from walk(column)
