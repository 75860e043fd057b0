"""Fixtures for every test: real PostgreSQL, Valkey and S3 store, a database cloned from a migrated one, two tenants.

The services are a throw-away stack of the project's own. `BITVAULT_TEST_SERVICES=<dir>/env.json` reuses one that is running
(`python -m bitvault.stack services --dir <dir> --throwaway`), which saves its start when running few tests often.
"""

import dataclasses
import gc
import os

import django
import pytest

from tests.support import environment

environment.ensure()
django.setup()


def pytest_configure() -> None:
    from tests.support.handlers import share_middleware

    share_middleware()


def pytest_unconfigure() -> None:
    environment.end_what_was_started()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items) -> None:
    from tests.support import distribution

    distribution.keep_together(items)


def pytest_collection_finish() -> None:
    # All code and all tests are there and stay: the collector need not look at them again each time.
    gc.collect()
    gc.freeze()


# --- databases -------------------------------------------------------------------------------------------------------------


def _build_template(name: str) -> None:
    from django.core.management import call_command

    from tests.support import databases, world

    databases.use(name)
    call_command("migrate_tenants", verbosity=0)
    world.build()
    databases.use("postgres")


@pytest.fixture(scope="session")
def database_template(django_db_blocker) -> str:
    from tests.support import databases

    with django_db_blocker.unblock():
        return databases.ensure_template(_build_template)


@pytest.fixture(scope="session")
def database_name(worker_suffix) -> str:
    return f"bv_test_{worker_suffix}"


@pytest.fixture(scope="session")
def worker_suffix() -> str:
    return f"{os.environ.get('PYTEST_XDIST_WORKER', 'main')}_{os.getpid()}"


@pytest.fixture(scope="session")
def django_db_setup(django_db_blocker, database_template, database_name):
    """Give this process a database of its own (pytest-django's hook for making one)."""
    from tests.support import databases

    with django_db_blocker.unblock(), databases.administration() as admin:
        databases.clone(admin, source=database_template, name=database_name)
        databases.let_transactions_stand(admin, database_name)
        databases.use(database_name)
        yield
        databases.use("postgres")
        databases.drop(admin, database_name)


@pytest.fixture
def committed(django_db_setup, django_db_blocker, database_template, worker_suffix):
    """Let a test commit for real, from threads and processes too, in a database that is thrown away afterwards."""
    from tests.support import databases

    with django_db_blocker.unblock(), databases.another(database_template, f"bv_once_{worker_suffix}") as name:
        yield name


@pytest.fixture(autouse=True)
def _database_of_the_marker(request):
    if request.node.get_closest_marker("committed"):
        request.getfixturevalue("committed")


@pytest.fixture(autouse=True)
def _fresh_context():
    """No test inherits a tenant, a request, a stream number or a remembered credential from the one before."""
    from apps.admin_platform.config_source import SOURCE
    from apps.admin_platform.flag_provider import PROVIDER
    from apps.identity import deletions, queries
    from apps.sharing import queries as sharing
    from apps.storage import places
    from bitvault.kernel import db, deadlines, request

    deadlines.use(dataclasses.replace(deadlines.PATIENT, are_background=False))
    queries.forget_remembered()
    deletions.forget_remembered()
    places.forget()
    sharing.forget_remembered()
    PROVIDER.forget()
    SOURCE.forget()
    request.set_request_id(None)
    db.latest_seq.set(None)


@pytest.fixture
def no_valkey(settings):
    """Lead to a port where nobody listens; afterwards, wait until the process has found out that Valkey is back."""
    from tests.support import stopping

    with stopping.valkey_at("redis://127.0.0.1:1", settings):
        yield


@pytest.fixture
def lasting_memory(monkeypatch):
    """Nothing that is remembered grows old: a test that counts queries counts the same on a slow machine."""
    from bitvault.kernel import remembered

    monkeypatch.setattr(remembered, "LIFETIME_SECONDS", 3600)


@pytest.fixture
def django_assert_num_queries(django_assert_num_queries, lasting_memory):
    """pytest-django's counting of queries."""
    return django_assert_num_queries


@pytest.fixture(scope="session", autouse=True)
def _watched_tables():
    """Read every statement of every test: tables are touched by the module that owns them alone."""
    from tests.support import ownership

    ownership.begin()


@pytest.fixture(autouse=True)
def _no_stranger_at_a_table(_watched_tables):
    """Fail a test whose code swallowed the refusal."""
    from tests.support import ownership

    ownership.breaches.clear()
    ownership.changes.clear()
    yield
    assert ownership.breaches == []


# --- stores ----------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def running_second_store(tmp_path_factory):
    """Start the second embedded store, once for this process."""
    from tests.support import second_store

    with second_store.running(tmp_path_factory.mktemp("store")) as settings:
        yield settings


@pytest.fixture(scope="session")
def running_other_stores(tmp_path_factory):
    """Start stores beside the one that tests stand on, one of each kind that is asked for: ``running_other_stores(kind)``."""
    from contextlib import ExitStack

    from bitvault.stack.stores import StoreKind
    from tests.support import second_store

    started = {}
    with ExitStack() as running:

        def start(kind):
            kind = StoreKind(kind)
            if kind not in (second_store.KIND, second_store.kind_of_tests()):
                pytest.skip(f"{kind} cannot be had here")
            if kind not in started:
                directory = tmp_path_factory.mktemp(f"other-{kind}")
                started[kind] = running.enter_context(second_store.running(directory, kind))
            return started[kind]

        yield start


@pytest.fixture(params=["versitygw", "seaweedfs"])
def other_store(request, running_other_stores):
    """A store beside the one that the installation has, of each kind, as a row that was tested."""
    from tests.support import extra_store

    settings = running_other_stores(request.param)
    if not request.node.get_closest_marker("committed"):
        request.getfixturevalue("db")
    row = extra_store.row_of(settings, bucket=extra_store.new_bucket(settings))
    yield row
    extra_store.forget()


@pytest.fixture
def use_store(request, settings):
    """Let a test stand on another store than all others do: ``use_store(StoreKind.SEAWEEDFS)``."""
    from apps.storage import provider
    from tests.support import second_store

    def forget():
        provider._store_of_requests.cache_clear()
        provider._store_of_workers.cache_clear()

    def use(kind):
        if kind is not second_store.kind_of_tests():
            if kind is not second_store.KIND:
                pytest.skip(f"{kind} cannot be had here")
            settings.BITVAULT_STORE = {**settings.BITVAULT_STORE, **request.getfixturevalue("running_second_store")}
        forget()
        return kind

    yield use
    forget()


@pytest.fixture(params=["versitygw", "seaweedfs"])
def each_store(request, use_store):
    """Run a test on each of the embedded stores, and tell which it is."""
    from bitvault.stack.stores import StoreKind

    return use_store(StoreKind(request.param))


# --- people ----------------------------------------------------------------------------------------------------------------


@pytest.fixture
def make_actor():
    """Build the actor of a person of the world, as a token or session would."""
    from bitvault.kernel.actor import Actor, Role
    from bitvault.kernel.tenancy import Tenant
    from tests.support.world import ACME, BETA

    def make(name: str, **changes) -> Actor:
        company = ACME if name in ACME.people else BETA
        person = company.people[name]
        tenant = Tenant(id=company.id, slug=company.slug, name=company.slug.title())
        facts = {"role": Role(person.role), "token_id": person.token_id, **changes}
        return Actor(tenant=tenant, user_id=person.user_id, **facts)

    return make


@pytest.fixture
def actor(make_actor):
    """Mia, a plain member of acme."""
    return make_actor("mia")


@pytest.fixture
def acme(make_actor):
    return make_actor("mia").tenant


@pytest.fixture
def beta(make_actor):
    return make_actor("boris").tenant


@pytest.fixture
def tenant(request, acme):
    """Acme, entered; in a transaction that is rolled back unless the test is marked ``committed``."""
    from bitvault.kernel import tenancy

    if not request.node.get_closest_marker("committed"):
        request.getfixturevalue("db")
    with tenancy.entered(acme):
        yield acme


# --- requests --------------------------------------------------------------------------------------------------------------


@pytest.fixture
def api(request):
    """A REST client by token: ``api("mia").post("/folders", {...})``, answers carry ``.json()``."""
    from tests.support.client import ApiClient
    from tests.support.world import ACME, BETA

    if not request.node.get_closest_marker("committed"):
        request.getfixturevalue("db")

    def client(name: str = "mia") -> ApiClient:
        person = {**ACME.people, **BETA.people}[name]
        return ApiClient(token=person.token)

    return client
