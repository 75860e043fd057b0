"""What a vault tells of its room, what a recount finds and what the ledger holds are the same after every step, whatever the steps were.

`BITVAULT_TEST_ROOM_EXAMPLES=2000` runs that many histories, `BITVAULT_TEST_ROOM_STEPS=80` of that many steps each.
"""

import os
from contextlib import contextmanager

import pytest
from django.test import Client
from hypothesis import HealthCheck, Phase
from hypothesis import settings as of_hypothesis
from hypothesis.stateful import run_state_machine_as_test

from tests.room.machine import RoomMachine
from tests.support import databases
from tests.support.own_bucket import own_bucket

pytestmark = [pytest.mark.store, pytest.mark.committed]

IS_LONG = "BITVAULT_TEST_ROOM_EXAMPLES" in os.environ
EXAMPLES = int(os.environ.get("BITVAULT_TEST_ROOM_EXAMPLES", "10"))
STEPS = int(os.environ.get("BITVAULT_TEST_ROOM_STEPS", "25"))


@pytest.fixture
def vaults(make_actor, settings, database_template, worker_suffix):
    """Vaults in which nothing has happened, one after another: ``with vaults() as (api, olga, browser): …``."""
    from apps.billing import scopes
    from apps.identity import queries
    from apps.sharing import queries as sharing
    from apps.storage import provider
    from bitvault.kernel import policies
    from tests.support.client import ApiClient
    from tests.support.world import ACME, PASSWORD

    settings.BITVAULT_COLLECTION = {"grace_seconds": 0, "wait_seconds": 0}

    def client(name):
        return ApiClient(token=ACME.people[name].token)

    @contextmanager
    def begin():
        for module in (scopes, policies):
            module.forget()
        for module in (queries, sharing):
            module.forget_remembered()
        with databases.another(database_template, f"bv_room_{worker_suffix}"):
            browser = Client(headers={"host": "acme.localhost"})
            answer = browser.post("/sign-in/", {"email": ACME.people["olga"].email, "password": PASSWORD})
            assert answer.status_code == 302
            try:
                yield client, make_actor("olga"), browser
            finally:
                store = provider.store()
                store.delete_objects(store.list_keys(""))

    with own_bucket(settings):
        yield begin


def test_whatever_is_done_the_room_that_is_told_is_the_room_that_is_used(vaults):
    RoomMachine.begin = staticmethod(vaults)
    run_state_machine_as_test(
        RoomMachine,
        settings=of_hypothesis(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            deadline=None,
            derandomize=not IS_LONG,
            # Shrinking takes minutes, and the steps that have failed are told in any case.
            phases=tuple(Phase) if IS_LONG else (Phase.generate,),
            database=None,
            suppress_health_check=list(HealthCheck),
            print_blob=True,
        ),
    )
