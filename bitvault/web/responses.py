"""Answers that several modules give."""

from django.urls import reverse
from rest_framework.response import Response

from bitvault.jobs.dtos import Job


class JobAccepted(Response):
    """202: a job does it; the answer says which, and where it is read."""

    def __init__(self, job: Job) -> None:
        super().__init__(job, status=202, headers={"Location": reverse("job", args=[job.id]), "Retry-After": "1"})
