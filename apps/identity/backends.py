"""How Django's own pages (the operators' admin) find a person: through this module, whose table it is."""

from typing import Any

from django.contrib.auth.backends import ModelBackend

from apps.identity.models import User


class OperatorBackend(ModelBackend):
    """Django's backend, asked from here, so that no other module reads ``identity_user``."""

    def get_user(self, user_id: Any) -> User | None:
        """Find the person of a session; ``None`` when they are gone or shut out."""
        return super().get_user(user_id)

    def get_all_permissions(self, user_obj: Any, obj: Any = None) -> set[str]:
        """Read what an operator may do, by their roles and by what was given to them alone; once a request."""
        return super().get_all_permissions(user_obj, obj)
