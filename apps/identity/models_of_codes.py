"""The table of codes that are sent to addresses (in schema ``public``)."""

from django.db import models
from django.db.models.functions import Length
from django.db.models.lookups import Exact

from apps.identity.credentials import HASH_BYTES
from bitvault.kernel.models import PublicModel, id_field


class EmailCode(PublicModel):
    """A code that was sent to an address, until it is used or over. Only a keyed hash of it is kept."""

    class Purpose(models.TextChoices):
        """What it is good for."""

        PROOF = "proof", "Proves an address"
        RESET = "reset", "Resets a password"

    id = id_field()
    user = models.ForeignKey("identity.User", null=True, on_delete=models.CASCADE)
    """Whose it is; nobody's where an unknown address was given, so that asking costs the same."""
    purpose = models.CharField(max_length=8, choices=Purpose.choices)
    email = models.EmailField(blank=True)
    """The address that it proves."""
    code_hash = models.BinaryField(max_length=32, unique=True)
    guess_count = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()

    class Meta:
        db_table = "identity_email_code"
        constraints = [
            models.CheckConstraint(
                condition=Exact(Length("code_hash"), HASH_BYTES), name="identity_email_code_hash_is_whole"
            ),
        ]
        indexes = [
            # What is the last code of this person?
            models.Index(fields=["user", "purpose", "-id"], name="identity_email_code_last"),
            # What is to be swept?
            models.Index(fields=["expires_at"], name="identity_email_code_expired"),
        ]
