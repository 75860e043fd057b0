"""What a signed URL allows, and what the store refuses: each altered in one thing."""

import base64
import hashlib
import os
from urllib.parse import quote

import pytest

from apps.storage import keys, provider
from tests.support import sending
from tests.support.sending import PART, pool

pytestmark = [pytest.mark.store, pytest.mark.usefixtures("each_store")]


def checksum(body: bytes) -> str:
    return base64.b64encode(hashlib.sha256(body).digest()).decode()


def stored(upload, digest: bytes):
    return provider.store().find_object(keys.single_part_key(upload.id, digest))


def test_the_signed_bytes_are_taken(attempt, put_part, content):
    upload = attempt(content)
    assert put_part(upload.parts[0], content).status == 200
    assert stored(upload, hashlib.sha256(content).digest()).checksum == checksum(content)


def test_other_bytes_of_the_same_length_are_refused(attempt, put_part, content):
    upload = attempt(content)
    assert put_part(upload.parts[0], os.urandom(len(content))).status == 400
    assert stored(upload, hashlib.sha256(content).digest()) is None


@pytest.mark.parametrize("change", [-1, 1, 1000])
def test_another_length_is_refused(attempt, put_part, content, change):
    upload = attempt(content)
    body = content[:change] if change < 0 else content + os.urandom(change)
    assert put_part(upload.parts[0], body).status == 403
    assert stored(upload, hashlib.sha256(content).digest()) is None


def test_other_bytes_with_their_own_checksum_are_refused(attempt, put_part, content):
    upload = attempt(content)
    other = os.urandom(len(content))
    assert put_part(upload.parts[0], other, x_amz_checksum_sha256=checksum(other)).status == 403


@pytest.mark.parametrize(
    "changed",
    [
        {"x_amz_checksum_sha256": None},
        {"Content_Type": "text/html"},
        {"Content_Type": None},
        {"Content_Encoding": "gzip"},
        {"Content_Encoding": None},
        {"x_amz_acl": "public-read"},
        {"x_amz_meta_owner": "me"},
    ],
)
def test_headers_other_than_the_signed_ones_are_refused(attempt, put_part, content, changed):
    upload = attempt(content)
    assert put_part(upload.parts[0], content, **changed).status == 403
    assert stored(upload, hashlib.sha256(content).digest()) is None


def test_another_method_is_refused(attempt, put_part, content):
    upload = attempt(content)
    (part,) = upload.parts
    put_part(part, content)
    for method in ("GET", "HEAD", "DELETE"):
        assert pool.request(method, part.url, headers=part.headers).status == 403
    assert stored(upload, hashlib.sha256(content).digest()) is not None


def test_another_key_tenant_or_bucket_is_refused(attempt, put_part, content, acme, beta):
    upload = attempt(content)
    (part,) = upload.parts
    other = os.urandom(16).hex()
    bucket = provider.store().bucket
    for url in (
        part.url.replace(upload.id.hex, other),
        part.url.replace(acme.id.hex, beta.id.hex),
        part.url.replace(f"/{bucket}/", "/bitvault-assets/"),
    ):
        assert url != part.url
        assert pool.request("PUT", url, body=content, headers=part.headers).status == 403


def test_another_part_number_is_refused(attempt, put_part):
    content = os.urandom(PART + 5)
    upload = attempt(content)
    first = upload.parts[0]
    url = first.url.replace("partNumber=1", "partNumber=2")
    assert url != first.url
    assert pool.request("PUT", url, body=content[:PART], headers=first.headers).status == 403


def test_a_longer_life_is_refused(attempt, content):
    (part,) = attempt(content).parts
    assert "X-Amz-Expires=900" in part.url
    url = part.url.replace("X-Amz-Expires=900", "X-Amz-Expires=604800")
    assert pool.request("PUT", url, body=content, headers=part.headers).status == 403


def test_a_url_for_other_bytes_cannot_touch_what_was_committed(attempt, put_part, actor, content):
    """The key holds the hash: a URL that was kept back writes beside the committed object, never over it."""
    from apps.storage import api

    other = os.urandom(len(content))
    upload = attempt(content)
    (kept_back,) = api.sign_parts(actor=actor, upload_id=upload.id, announced={1: sending.sha256(other)})
    (part,) = api.sign_parts(actor=actor, upload_id=upload.id, announced={1: sending.sha256(content)})
    assert put_part(part, content).status == 200
    verified = api.complete_upload(actor=actor, upload_id=upload.id)
    api.finish_upload(upload_id=upload.id, kept=True)
    assert put_part(kept_back, other).status == 200
    url = api.sign_download(blob_id=verified.blob_id, filename="a", media_type="text/plain").url
    assert pool.request("GET", url).data == content


def test_a_part_that_comes_after_the_commit_changes_nothing(attempt, put_part, actor):
    from apps.storage import api

    content = os.urandom(PART + 5)
    upload = attempt(content)
    for part, body in zip(upload.parts, sending.cut(content), strict=True):
        put_part(part, body)
    verified = api.complete_upload(actor=actor, upload_id=upload.id)
    assert put_part(upload.parts[0], content[:PART]).status == 404
    url = api.sign_download(blob_id=verified.blob_id, filename="a", media_type="text/plain").url
    assert pool.request("GET", url).data == content


# --- downloads -------------------------------------------------------------------------------------------------------------


@pytest.fixture
def download(attempt, put_part, actor, content):
    from apps.storage import api

    def sign(filename="a.txt", media_type="text/plain", **more):
        upload = attempt(content)
        put_part(upload.parts[0], content)
        blob_id = api.complete_upload(actor=actor, upload_id=upload.id).blob_id
        return api.sign_download(blob_id=blob_id, filename=filename, media_type=media_type, **more).url

    return sign


@pytest.mark.parametrize(
    ("media_type", "told"),
    [
        ("text/plain", "text/plain"),
        ("image/png", "image/png"),
        ("application/pdf", "application/pdf"),
        ("TEXT/CSV; charset=utf-16", "text/csv"),
        ("application/vnd.oasis.opendocument.text", "application/vnd.oasis.opendocument.text"),
        ("text/html", "application/octet-stream"),
        ("image/svg+xml", "application/octet-stream"),
        ("application/xhtml+xml", "application/octet-stream"),
        ("text/xml", "application/octet-stream"),
        ("application/javascript", "application/octet-stream"),
        ("multipart/related", "application/octet-stream"),
        ("message/rfc822", "application/octet-stream"),
        ("made/up", "application/octet-stream"),
    ],
)
def test_bytes_leave_as_an_attachment_of_a_harmless_type(download, content, media_type, told):
    answer = pool.request("GET", download(media_type=media_type))
    assert answer.data == content
    assert answer.headers["Content-Type"] == told
    assert answer.headers["Content-Disposition"].startswith("attachment;")
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert answer.headers.get("Content-Encoding", "identity") == "identity"


@pytest.mark.parametrize(
    ("filename", "plain"),
    [
        ("plain.txt", "plain.txt"),
        ('quo"te\\.txt', "quo_te_.txt"),
        ("semi;colon.txt", "semi_colon.txt"),
        ("50%.txt", "50_.txt"),
        ("tab\tand\r\nSet-Cookie: a=b", "tab_and__Set-Cookie_ a=b"),
        ("Müller – Übersicht.pdf", "M_ller _ _bersicht.pdf"),
        ("ファイル.txt", "____.txt"),
        ("🗄️" * 60, "__" * 60),
    ],
)
def test_any_name_reaches_the_one_who_saves_it_and_no_header_else(download, filename, plain):
    answer = pool.request("GET", download(filename=filename))
    assert answer.status == 200
    assert (
        answer.headers["Content-Disposition"]
        == f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(filename, safe='')}"
    )
    assert "Set-Cookie" not in answer.headers


def test_a_name_cannot_turn_its_own_direction_around(download):
    answer = pool.request("GET", download(filename="photo\u202egpj.exe"))
    assert answer.headers["Content-Disposition"].endswith("filename*=UTF-8''photogpj.exe")


@pytest.mark.parametrize(
    ("what", "other"),
    [
        ("text%2Fplain", "text%2Fhtml"),
        ("attachment", "inline"),
        ("response-content-encoding=identity", "response-content-encoding=gzip"),
        ("X-Amz-Expires=300", "X-Amz-Expires=3600"),
    ],
)
def test_a_download_url_that_was_altered_is_refused(download, what, other):
    url = download()
    assert what in url
    assert pool.request("GET", url.replace(what, other)).status == 403


def test_a_download_url_is_for_one_method_and_one_key(download, acme, beta):
    url = download()
    for method in ("PUT", "DELETE", "HEAD"):
        assert pool.request(method, url).status == 403
    assert pool.request("GET", url.replace(acme.id.hex, beta.id.hex)).status == 403
    assert pool.request("GET", url.partition("?")[0]).status == 403
    assert pool.request("HEAD", download(method="HEAD")).status == 200
