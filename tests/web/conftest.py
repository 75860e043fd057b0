"""A request to a view without the rest of the product around it."""

import json

import pytest
from rest_framework.response import Response


@pytest.fixture
def ask(rf):
    """Call a view class: ``ask(View, "POST", {...})`` or with bytes; the answer carries ``.problem`` when it is one."""

    def call(view, method="GET", body=None, *, content_type="application/json", query=None, **headers):
        data = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        request = rf.generic(
            method, "/api/v1/things", data, content_type=content_type, query_params=query, headers=headers or None
        )
        response = view.as_view()(request)
        if isinstance(response, Response):
            response.render()
        if response["Content-Type"] == "application/problem+json":
            response.problem = json.loads(response.content)
        return response

    return call
