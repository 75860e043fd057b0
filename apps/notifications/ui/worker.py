"""The worker that shows what is pushed. It stands at the root of the host, for a worker answers for the paths below its own alone."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from bitvault.web.pages import VisitorPage


class PushWorker(VisitorPage):
    """The script of the worker: the same for everybody, and nobody's secret."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """Give it; browsers ask again each day whether it has changed."""
        response = render(request, "notifications/push-worker.js", content_type="text/javascript; charset=utf-8")
        response["Cache-Control"] = "no-cache"
        return response
