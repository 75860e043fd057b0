"""A small REST client on Django's test client: paths below /api/v1, JSON in, JSON out."""

import json
from typing import Any

from django.test import Client

PREFIX = "/api/v1"


class ApiClient:
    """Speak to the REST surface as one token's holder, on any host."""

    def __init__(
        self, *, token: str | None = None, host: str = "127.0.0.1", raise_request_exception: bool = True
    ) -> None:
        self._client = Client(raise_request_exception=raise_request_exception)
        self.headers = {"host": host}
        if token is not None:
            self.headers["authorization"] = f"Bearer {token}"

    def request(
        self, method: str, path: str, /, body: Any = None, *, headers: dict[str, str] | None = None, **query: Any
    ):
        data = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        return self._client.generic(
            method,
            f"{PREFIX}{path}",
            data,
            content_type="application/json" if body is not None else "",
            headers={**self.headers, **(headers or {})},
            query_params=query or None,
        )

    def get(self, path: str, /, **query: Any):
        return self.request("GET", path, **query)

    def post(self, path: str, body: Any = None, **extra: Any):
        return self.request("POST", path, {} if body is None else body, **extra)

    def patch(self, path: str, body: Any, *, revision: int | None = None, **extra: Any):
        headers = {**extra.pop("headers", {}), **({} if revision is None else {"if-match": f'"{revision}"'})}
        return self.request("PATCH", path, body, headers=headers, **extra)

    def put(self, path: str, body: Any, **extra: Any):
        return self.request("PUT", path, body, **extra)

    def delete(self, path: str, **extra: Any):
        return self.request("DELETE", path, **extra)
