"""Our signatures are those of the library of the field."""

from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, quote, urlencode, urlsplit

import botocore.auth
import pytest
from botocore.auth import S3SigV4Auth, S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from apps.storage.signing import Signer
from bitvault.kernel import clock

MOMENT = datetime(2026, 11, 24, 23, 59, 59, tzinfo=UTC)
CREDENTIALS = Credentials("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
REGION = "eu-central-1"

ENDPOINTS = [
    "http://127.0.0.1:8333",
    "https://s3.example.com",
    "https://s3.example.com:443",
    "http://s3.example.com:80",
    "https://s3.example.com:8443",
    "http://[::1]:9000",
    "https://example.com/store/below",
]
DOWNLOAD = {
    "response-content-disposition": "attachment; filename=\"a_b &=+/~'().txt\"; filename*=UTF-8''%C3%A4%20b.txt",
    "response-content-type": "text/plain",
    "response-cache-control": "private, no-store",
}
UPLOAD = {
    "Content-Type": "application/octet-stream",
    "Content-Encoding": "identity",
    "x-amz-checksum-sha256": "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
    "Content-Length": "4096",
}


@pytest.fixture(autouse=True)
def _one_moment(monkeypatch):
    monkeypatch.setattr(botocore.auth, "get_current_datetime", lambda *_: MOMENT)
    with clock.fixed_at(MOMENT):
        yield


def signer(endpoint_url):
    return Signer(
        endpoint_url=endpoint_url,
        region=REGION,
        access_key_id=CREDENTIALS.access_key,
        secret_access_key=CREDENTIALS.secret_key,
    )


@pytest.mark.parametrize("endpoint_url", ENDPOINTS)
@pytest.mark.parametrize(
    ("method", "query", "headers"),
    [
        ("GET", DOWNLOAD, {}),
        ("HEAD", {}, {}),
        ("PUT", {}, UPLOAD),
        ("PUT", {"partNumber": "10000", "uploadId": "a b/+=~é"}, {"x-amz-checksum-sha256": "two  blanks "}),
    ],
)
def test_a_url_carries_the_signature_of_the_library(endpoint_url, method, query, headers):
    path = "/bitvault/0a/m"
    ours = signer(endpoint_url).sign_url(method, path, query=query, headers=headers, lifetime=timedelta(minutes=5))
    asked = f"?{urlencode(query, quote_via=quote)}" if query else ""
    request = AWSRequest(method, f"{endpoint_url}{path}{asked}", headers=headers)
    S3SigV4QueryAuth(CREDENTIALS, "s3", REGION, 300).add_auth(request)
    assert urlsplit(ours)[:3] == urlsplit(request.url)[:3]
    assert parse_qs(urlsplit(ours).query) == parse_qs(urlsplit(request.url).query)


@pytest.mark.parametrize("endpoint_url", ENDPOINTS)
def test_a_request_of_our_own_carries_the_signature_of_the_library(endpoint_url):
    headers = {"x-amz-checksum-mode": "ENABLED"}
    target, ours = signer(endpoint_url).sign_bare("HEAD", "/bitvault/readiness", headers=headers)
    request = AWSRequest("HEAD", f"{endpoint_url}/bitvault/readiness", headers=headers)
    S3SigV4Auth(CREDENTIALS, "s3", REGION).add_auth(request)
    theirs = {name.lower(): value for name, value in request.headers.items()}
    assert target == urlsplit(request.url).path
    assert {name: value for name, value in ours.items() if name != "host"} == theirs


def test_the_key_of_a_day_is_not_used_on_the_next():
    url = signer(ENDPOINTS[0]).sign_url("GET", "/b/k", query={}, headers={}, lifetime=timedelta(minutes=5))
    with clock.fixed_at(MOMENT + timedelta(seconds=1)):
        later = signer(ENDPOINTS[0]).sign_url("GET", "/b/k", query={}, headers={}, lifetime=timedelta(minutes=5))
    assert parse_qs(urlsplit(url).query)["X-Amz-Credential"] != parse_qs(urlsplit(later).query)["X-Amz-Credential"]


def test_a_key_with_any_character_is_written_as_it_is_signed():
    url = signer(ENDPOINTS[1]).sign_url("GET", "/b/ä +?#%", query={}, headers={}, lifetime=timedelta(minutes=5))
    assert urlsplit(url).path == "/b/%C3%A4%20%2B%3F%23%25"
