"""What a configured object store can do, found out by trying. A store is never taken at its name, and nothing it lacks is emulated.

The required abilities are those on which no wrong byte is ever committed and no byte is read without a right. The others make work
cheaper: without them BitVault does the same with more traffic, and says so.

What clients do is tried where clients do it: uploads at the public endpoint, downloads at theirs, so what stands before the store counts.
"""

import hashlib
import secrets
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from uuid import UUID

import structlog
import urllib3
from django.conf import settings

from apps.storage import models, objects, parts, provider
from apps.storage.abilities import ABILITIES, Ability
from apps.storage.errors import ContentMismatch, StoreUnavailable
from apps.storage.objects import StoredObject
from apps.storage.provider import ObjectStore
from bitvault.kernel import clock, db

PROBE_PREFIX = "probe/"
"""Where probes put their objects; no tenant's prefix looks like it."""

_BODY = b"BitVault asks what this store can do."
_OTHER = b"Something else, but just as many byte"
_OK, _PARTIAL, _HTTP_ERROR = 200, 206, 400
_NOBODY_THERE = (urllib3.exceptions.NewConnectionError, urllib3.exceptions.ConnectTimeoutError)
_STALE_TAG = '"00000000000000000000000000000000"'
_ATTEMPTS = 2
"""How often a trial is made that breaks off: a line that was cut once is no lack, and a store that fails twice is not waited for."""

logger = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Finding:
    """One ability, and whether the store has it."""

    asked: Ability
    is_there: bool

    @property
    def ability(self) -> str:
        """Its name."""
        return self.asked.name

    @property
    def is_required(self) -> bool:
        """Whether BitVault does not use a store without it."""
        return self.asked.is_required


@dataclass(frozen=True, slots=True)
class Report:
    """What a store was found able to do."""

    store: str
    downloads_url: str
    findings: list[Finding]

    @property
    def is_fit(self) -> bool:
        """Whether nothing that is required lacks."""
        return all(finding.is_there for finding in self.findings if finding.is_required)

    @property
    def lacking(self) -> list[Finding]:
        """Every ability that is not there."""
        return [finding for finding in self.findings if not finding.is_there]


class _Probe:
    """Tries one store, under a prefix of its own."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store
        self._prefix = f"{PROBE_PREFIX}{secrets.token_hex(8)}/"
        self._pool = urllib3.PoolManager(
            timeout=urllib3.Timeout(connect=3, read=30), retries=urllib3.Retry(connect=2, read=0)
        )
        self._begun: list[tuple[str, str]] = []
        self._digest = hashlib.sha256(_BODY).digest()

    def run(self) -> Report:
        """Try everything, and leave nothing behind.

        :raises StoreUnavailable: the store has gone away meanwhile.
        """
        try:
            return Report(
                store=self._store.name,
                downloads_url=self._store.download_endpoint_url,
                findings=[Finding(ABILITIES[name], self._has(try_it)) for name, try_it in self._trials().items()],
            )
        finally:
            self._clean_up()

    def _trials(self) -> dict[str, Callable[[], bool]]:
        asked = {"encrypted": self._encrypted} if self._store.written_as().get("ServerSideEncryption") else {}
        return {
            "checksum_returned": self._checksum_returned,
            "checksum_enforced": self._checksum_enforced,
            "length_enforced": self._length_enforced,
            "type_enforced": self._type_enforced,
            "encoding_enforced": self._encoding_enforced,
            "key_enforced": self._key_enforced,
            "anonymous_refused": self._anonymous_refused,
            "overrides_honoured": self._overrides_honoured,
            "part_checksum_enforced": self._part_enforced,
            "composite_returned": self._composite_returned,
            "uploads_listed": self._uploads_listed,
            "batch_deleted": self._batch_deleted,
            **asked,
            "cors_allowed": self._cors_allowed,
            "part_copy": self._part_copy,
            "conditional_put": self._conditional_put,
            "if_range_honoured": self._if_range_honoured,
            "nosniff": self._nosniff,
        }

    def _has(self, try_it: Callable[[], bool]) -> bool:
        """Take a trial that the store answers with an error, or breaks off, as an ability that it lacks.

        :raises StoreUnavailable: the store breaks off because it does not answer at all any more, or nobody listens where clients send
            or fetch bytes (what stands before the store may start later than we do); that says nothing of an ability.
        """
        for _ in range(_ATTEMPTS):
            try:
                return try_it()
            except (ContentMismatch, provider.UploadUnknown, KeyError):
                return False
            except (StoreUnavailable, urllib3.exceptions.HTTPError) as error:
                reason = getattr(error, "reason", None)
                if isinstance(reason, _NOBODY_THERE):
                    raise StoreUnavailable from reason
                self._store.list_keys(self._prefix)
        return False

    # --- trials ------------------------------------------------------------------------------------------------------------

    def _checksum_returned(self) -> bool:
        return self._put("plain", _BODY) and self._find("plain") == StoredObject(
            len(_BODY), objects.checksum_of(self._digest)
        )

    def _checksum_enforced(self) -> bool:
        return not self._put("wrong", _OTHER) and self._find("wrong") is None

    def _length_enforced(self) -> bool:
        return not any(
            self._put("sized", body, digest=hashlib.sha256(body).digest()) for body in (_BODY[:-1], _BODY + b"!")
        )

    def _type_enforced(self) -> bool:
        other = not self._put("typed", _BODY, {"Content-Type": "text/html"})
        return other and not self._put("typed", _BODY, {"Content-Type": None})

    def _encoding_enforced(self) -> bool:
        other = not self._put("encoded", _BODY, {"Content-Encoding": "gzip"})
        return other and not self._put("encoded", _BODY, {"Content-Encoding": None})

    def _key_enforced(self) -> bool:
        signed = self._store.sign_put(key=self._key("mine"), size_bytes=len(_BODY), digest=self._digest)
        elsewhere = signed.url.replace(self._key("mine"), self._key("other"))
        return not self._send("PUT", elsewhere, _BODY, signed.headers) and not self._send("DELETE", signed.url, b"", {})

    def _anonymous_refused(self) -> bool:
        bucket = f"{self._store.bucket_address}/{self._store.prefix}"
        self._put("secret", _BODY)
        return not any(
            (
                self._send("GET", f"{bucket}{self._key('secret')}", b"", {}),
                self._send("PUT", f"{bucket}{self._key('anonymous')}", _BODY, {}),
                self._send("GET", f"{self._store.bucket_address}?list-type=2", b"", {}),
            )
        )

    def _overrides_honoured(self) -> bool:
        self._put("download", _BODY)
        disposition = "attachment; filename=\"a.txt\"; filename*=UTF-8''a.txt"
        signed = self._store.sign_get(key=self._key("download"), disposition=disposition, media_type="text/plain")
        answer = self._pool.request("GET", signed.url)
        tampered = signed.url.replace("text%2Fplain", "text%2Fhtml")
        return (
            answer.data == _BODY
            and answer.headers.get("Content-Disposition") == disposition
            and answer.headers.get("Content-Type") == "text/plain"
            and tampered != signed.url
            and not self._send("GET", tampered, b"", {})
        )

    def _part_enforced(self) -> bool:
        upload = self._begin("parted")
        return not self._put_part("parted", upload, _OTHER)

    def _composite_returned(self) -> bool:
        upload = self._begin("whole")
        if not self._put_part("whole", upload, _BODY):
            return False
        return self._completes("whole", upload)

    def _uploads_listed(self) -> bool:
        upload = self._begin("listed")
        return (self._key("listed"), upload) in self._store.list_multipart_uploads(self._prefix)

    def _batch_deleted(self) -> bool:
        names = ("doomed", "doomed-too")
        if not all(self._put(name, _BODY) for name in names):
            return False
        refused = self._store.delete_batch([self._key(name) for name in names])
        return not refused and all(self._find(name) is None for name in names)

    def _encrypted(self) -> bool:
        return self._put("sealed", _BODY) and self._store.is_encrypted_as_asked(self._key("sealed"))

    def _cors_allowed(self) -> bool:
        signed = self._store.sign_put(key=self._key("page"), size_bytes=len(_BODY), digest=self._digest)
        origin = settings.BITVAULT_BASE_URL
        asking = {
            "Origin": origin,
            "Access-Control-Request-Method": "PUT",
            "Access-Control-Request-Headers": ",".join(sorted(name.lower() for name in signed.headers)),
        }
        answer = self._pool.request("OPTIONS", signed.url, headers=asking)
        return answer.status < _HTTP_ERROR and answer.headers.get("Access-Control-Allow-Origin") in ("*", origin)

    def _part_copy(self) -> bool:
        # From an object of parts and onto one: only there does a part's checksum differ from that of its source.
        source = self._begin("source")
        if not (self._put_part("source", source, _BODY) and self._completes("source", source)):
            return False
        upload = self._begin("copy")
        self._store.copy_part(
            key=self._key("copy"),
            store_upload_id=upload,
            number=1,
            source_key=self._key("source"),
            first_byte=0,
            size_bytes=len(_BODY),
        )
        return self._completes("copy", upload)

    def _conditional_put(self) -> bool:
        self._put("taken", _BODY)
        return self._store.refuses_overwrite(self._key("taken"))

    def _if_range_honoured(self) -> bool:
        self._put("resumed", _BODY)
        signed = self._sign_get("resumed")
        whole = self._pool.request("GET", signed.url)
        current, stale = (
            self._pool.request("GET", signed.url, headers={"Range": "bytes=1-", "If-Range": tag})
            for tag in (whole.headers["ETag"], _STALE_TAG)
        )
        return (current.status, current.data, stale.status, stale.data) == (_PARTIAL, _BODY[1:], _OK, _BODY)

    def _nosniff(self) -> bool:
        self._put("guessed", _BODY)
        answer = self._pool.request("GET", self._sign_get("guessed").url)
        return answer.headers.get("X-Content-Type-Options", "").lower() == "nosniff"

    # --- means -------------------------------------------------------------------------------------------------------------

    def _key(self, name: str) -> str:
        return self._prefix + name

    def _begin(self, name: str) -> str:
        upload = self._store.create_multipart_upload(self._key(name))
        self._begun.append((self._key(name), upload))
        return upload

    def _sign_get(self, name: str) -> objects.Signed:
        return self._store.sign_get(key=self._key(name), disposition="attachment", media_type="text/plain")

    def _find(self, name: str) -> StoredObject | None:
        return self._store.find_object(self._key(name))

    def _put(
        self, name: str, body: bytes, changed: dict[str, str | None] | None = None, digest: bytes | None = None
    ) -> bool:
        """PUT ``body`` with a URL that was signed for ``_BODY`` (or for its length and ``digest``); tells whether the store took it."""
        signed = self._store.sign_put(key=self._key(name), size_bytes=len(_BODY), digest=digest or self._digest)
        headers = {**signed.headers, **(changed or {})}
        return self._send(
            "PUT", signed.url, body, {name: value for name, value in headers.items() if value is not None}
        )

    def _put_part(self, name: str, upload: str, body: bytes) -> bool:
        signed = self._store.sign_put_part(
            key=self._key(name), store_upload_id=upload, number=1, size_bytes=len(_BODY), digest=self._digest
        )
        return self._send("PUT", signed.url, body, signed.headers)

    def _completes(self, name: str, upload: str) -> bool:
        """Complete an object of one part and tell whether the store's composite of it is the right one."""
        held = self._store.list_parts(key=self._key(name), store_upload_id=upload)
        named = [(1, held[1].etag, self._digest)]
        self._store.complete_multipart_upload(key=self._key(name), store_upload_id=upload, parts=named)
        composite = objects.composite_of(parts.content_hash(self._digest), 1)
        return self._find(name) == StoredObject(len(_BODY), composite)

    def _send(self, method: str, url: str, body: bytes, headers: dict[str, str]) -> bool:
        answer = self._pool.request(method, url, body=body or None, headers=headers)
        return answer.status < _HTTP_ERROR

    def _clean_up(self) -> None:
        # By its own list, not by the store's: that it lists them is one of the things that are being found out.
        for key, upload in self._begun:
            with suppress(StoreUnavailable, provider.UploadUnknown):
                self._store.abort_multipart_upload(key=key, store_upload_id=upload)
        with suppress(StoreUnavailable):
            self._store.delete_objects(self._store.list_keys(self._prefix))


def probe(store: ObjectStore) -> Report:
    """Find out what a store can do.

    :raises StoreUnavailable: it does not answer at all, or not any more.
    """
    store.list_keys(PROBE_PREFIX)  # a store that is away has no abilities to report on
    return _Probe(store).run()


def probe_configured(store_id: UUID | None = None) -> Report:
    """Probe a store, keep what was found, and log what lacks; for the start of an installation and for ``check_store``.

    :param store_id: a store beside the installation's own, which is ``None``.
    :raises StoreUnavailable: it does not answer at all, or not any more; what was found before stays kept.
    """
    report = probe(provider.store_of(store_id))
    with db.public_transaction():
        if store_id is not None:
            models.Provider.objects.filter(store_id=store_id).exclude(name=report.store).delete()
        models.Provider.objects.update_or_create(
            name=report.store,
            defaults={
                "store_id": store_id,
                "abilities": {finding.ability: finding.is_there for finding in report.findings},
                "is_fit": report.is_fit,
                "probed_at": clock.now(),
            },
        )
    for finding in report.lacking:
        level = logger.error if finding.is_required else logger.debug
        level("store_lacks", store=report.store, ability=finding.ability, meaning=str(finding.asked.meaning))
    return report
