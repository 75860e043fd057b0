"""The room that speaks S3: what it must never do."""

import pytest

from apps.storage import provider
from bitvault.kernel import db

pytestmark = [pytest.mark.store, pytest.mark.usefixtures("each_store")]


@pytest.mark.parametrize(
    "call",
    [
        lambda store: store.find_object("k"),
        lambda store: store.list_keys("k"),
        lambda store: store.delete_objects(["k"]),
        lambda store: store.create_multipart_upload("k"),
        lambda store: store.list_parts(key="k", store_upload_id="u"),
        lambda store: store.abort_multipart_upload(key="k", store_upload_id="u"),
        lambda store: store.list_multipart_uploads("k"),
        lambda store: store.complete_multipart_upload(key="k", store_upload_id="u", parts=[]),
        lambda store: store.copy_part(
            key="k", store_upload_id="u", number=1, source_key="s", first_byte=0, size_bytes=1
        ),
    ],
)
def test_no_call_to_the_store_happens_inside_a_transaction(tenant, call):
    with db.write_transaction(), pytest.raises(db.OutsideWorldInTransaction):
        call(provider.store())


def test_signing_gives_the_same_url_as_boto3_would(settings):
    """Our short way to a signature against the library's long one."""
    store = provider.store()
    digest = b"\1" * 32
    signed = store.sign_put(key="a/b/c", size_bytes=5, digest=digest)
    theirs = store._client.generate_presigned_url(
        "put_object",
        Params={
            "Bucket": store.bucket,
            "Key": "a/b/c",
            "ContentLength": 5,
            "ContentType": provider.STORED_TYPE,
            "ContentEncoding": "identity",
            "ChecksumSHA256": provider.checksum_of(digest),
        },
        ExpiresIn=900,
    )
    varying = ("X-Amz-Date", "X-Amz-Signature")
    assert _without(signed.url, varying) == _without(theirs, varying)


def _without(url: str, names: tuple[str, ...]) -> list[str]:
    return sorted(part for part in url.replace("?", "&").split("&") if not part.startswith(names))


def test_clients_are_sent_to_the_public_endpoint(settings):
    configured = {k: v for k, v in settings.BITVAULT_STORE.items() if k != "assets_bucket"}
    store = provider.ObjectStore(**{**configured, "public_endpoint_url": "https://bytes.example.com"})
    signed = store.sign_get(key="a/b", disposition="attachment", media_type="text/plain")
    assert signed.url.startswith(f"https://bytes.example.com/{store.bucket}/a/b?")


def test_no_url_is_ever_logged(settings, capfd, caplog):
    configured = {k: v for k, v in settings.BITVAULT_STORE.items() if k != "assets_bucket"}
    away = provider.ObjectStore(**{**configured, "endpoint_url": "http://127.0.0.1:1"})
    with pytest.raises(provider.StoreUnavailable):
        away.find_object("secret/key")
    said = "".join(capfd.readouterr()) + caplog.text
    assert "store_unreachable" in said
    assert "X-Amz" not in said
    assert "secret/key" not in said


def test_a_store_that_is_there_gives_a_sign_of_life_and_one_that_is_away_or_strange_does_not(settings, monkeypatch):
    from apps.storage import api

    api.require_store()
    configured = {k: v for k, v in settings.BITVAULT_STORE.items() if k != "assets_bucket"}
    for change in ({"endpoint_url": "http://127.0.0.1:1"}, {"secret_access_key": "another"}):
        other = provider.ObjectStore(**{**configured, **change})
        monkeypatch.setattr(provider, "store", lambda other=other: other)
        with pytest.raises(provider.StoreUnavailable):
            api.require_store()


def test_parts_beyond_the_first_page_of_a_thousand_are_listed_too():
    """Tiny parts: a store measures them only when the object is put together."""
    import hashlib
    from concurrent.futures import ThreadPoolExecutor
    from uuid import uuid4

    from tests.support.sending import pool

    store, key, count = provider.store(), f"probe/{uuid4().hex}/m", 1003
    upload = store.create_multipart_upload(key)

    def send(number: int) -> int:
        body = str(number).encode()
        signed = store.sign_put_part(
            key=key,
            store_upload_id=upload,
            number=number,
            size_bytes=len(body),
            digest=hashlib.sha256(body).digest(),
        )
        return pool.request("PUT", signed.url, body=body, headers=signed.headers).status

    try:
        with ThreadPoolExecutor(8) as workers:
            assert set(workers.map(send, range(1, count + 1))) == {200}
        held = store.list_parts(key=key, store_upload_id=upload)
    finally:
        store.abort_multipart_upload(key=key, store_upload_id=upload)
    assert sorted(held) == list(range(1, count + 1))
    with pytest.raises(provider.UploadUnknown):
        store.list_parts(key=key, store_upload_id=upload)
