"""The one table of the REST toolkit."""

from django.db import models

from bitvault.kernel.models import TenantModel


class IdempotencyKey(TenantModel):
    """The answer that a POST got, kept in the transaction of its effect, for a caller who must ask again."""

    pk = models.CompositePrimaryKey("user_id", "key")
    user_id = models.UUIDField()
    key = models.CharField(max_length=255)
    """Credential, route and the caller's own key, hashed together."""
    fingerprint = models.BinaryField(max_length=32)
    answer = models.BinaryField()
    created_at = models.DateTimeField()

    class Meta:
        db_table = "web_idempotency_key"
        indexes = [
            # The sweep of keys past their day.
            models.Index(fields=["created_at"], name="web_idempotency_key_age"),
        ]
