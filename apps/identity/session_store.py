"""Where sessions are kept (Django's ``SESSION_ENGINE``): rows of our own, by the hash of their key, each at home at one host's tenant."""

import hashlib
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib.auth import SESSION_KEY as OPERATOR_KEY
from django.contrib.sessions.backends.base import CreateError, SessionBase, UpdateError
from django.db import IntegrityError, transaction

from apps.identity import models
from bitvault.kernel import clock, ids, tenancy
from bitvault.kernel.errors import ProgrammingError


def hash_key(session_key: str) -> str:
    """Compute what is kept of a session key; it is random, so a fast hash is enough."""
    return hashlib.sha256(session_key.encode(errors="surrogateescape")).hexdigest()


class SessionStore(SessionBase):
    """One browser's session.

    A key presented at the host of another tenant than the one it was made for finds nothing: cookies do not cross hosts, and
    keys shall not either.
    """

    def load(self) -> dict[str, Any]:
        """Read the session's data at the host that is asked now; an unknown key is dropped."""
        if self.session_key is None:
            return {}
        home = _home()
        rows = models.Session.objects.filter(session_key=hash_key(self.session_key), expire_date__gt=clock.now())
        rows = rows.filter(tenant__isnull=True) if home is None else rows.filter(tenant_id=home)
        data = rows.values_list("session_data", flat=True).first()
        if data is None:
            self._session_key = None
            return {}
        decoded: dict[str, Any] = self.decode(data)
        return decoded

    def exists(self, session_key: str) -> bool:
        """Tell whether a session has this key."""
        return models.Session.objects.filter(session_key=hash_key(session_key)).exists()

    def create(self) -> None:
        """Make a new row under a new key."""
        self._session_key = ids.new_secret()
        self.save(must_create=True)
        self.modified = True

    @classmethod
    def of(cls, session: SessionBase) -> "SessionStore":
        """Give a request's session as what it is by the settings."""
        if not isinstance(session, cls):
            raise ProgrammingError("SESSION_ENGINE must be apps.identity.session_store")
        return session

    def begin(
        self,
        *,
        user_id: UUID,
        proved_at: datetime,
        address: str,
        agent: str,
        expires_at: datetime | None = None,
        impersonation_id: UUID | None = None,
    ) -> models.Session:
        """Give the browser a new, empty session that belongs to a person; the one that it had is deleted.

        :param expires_at: when it ends at the latest, where that is earlier than sessions do.
        """
        self.flush()
        self._session_key = ids.new_secret()
        self._session_cache: dict[str, Any] = {}
        self.modified = True
        if expires_at is not None:
            self.set_expiry(expires_at)
        return self._insert(
            user_id=user_id,
            proved_at=proved_at,
            address=address,
            agent=agent,
            impersonation_id=impersonation_id,
        )

    def save(self, must_create: bool = False) -> None:  # noqa: FBT001, FBT002 - Django's signature
        """Write the data.

        :raises CreateError: a new session's key is taken.
        :raises UpdateError: the session was ended meanwhile; it does not come back.
        """
        if self.session_key is None:
            self.create()
            return
        data = self._get_session(no_load=must_create)  # type: ignore[attr-defined] # Django's own protected reader
        # Only Django's own sign-in, at the operators' host, writes this key.
        owner = {"user_id": data[OPERATOR_KEY]} if OPERATOR_KEY in data else {}
        if must_create:
            self._insert(**owner)
            return
        written = models.Session.objects.filter(session_key=hash_key(self.session_key)).update(
            session_data=self.encode(data), **owner
        )
        if not written:
            raise UpdateError

    def _insert(self, **owner: Any) -> models.Session:
        data = self._get_session(no_load=True)  # type: ignore[attr-defined] # Django's own protected reader
        try:
            with transaction.atomic():
                return models.Session.objects.create(
                    session_key=hash_key(str(self.session_key)),
                    session_data=self.encode(data),
                    expire_date=self.get_expiry_date(),
                    tenant_id=_home(),
                    **owner,
                )
        except IntegrityError as error:
            raise CreateError from error

    def delete(self, session_key: str | None = None) -> None:
        """Delete a session, this one unless another key is given."""
        key = session_key or self.session_key
        if key is not None:
            models.Session.objects.filter(session_key=hash_key(key)).delete()

    @classmethod
    def clear_expired(cls) -> None:
        """Delete what is past its time (``manage.py clearsessions`` and the sweep)."""
        models.Session.objects.filter(expire_date__lte=clock.now()).delete()


def _home() -> UUID | None:
    tenant = tenancy.find_current()
    return tenant.id if tenant else None
