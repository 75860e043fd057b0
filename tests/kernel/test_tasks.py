"""A task works for the tenant that its header names, or does not run; nothing of it reaches the next one on the same worker."""

import subprocess
import sys
from types import SimpleNamespace

import pytest
from celery import Celery

from bitvault.kernel import db, ids, tenancy
from bitvault.kernel.request import current_request_id
from bitvault.kernel.tasks import TENANT_HEADER, TenantGone, TenantTask, for_tenant
from bitvault.stack.layout import ROOT


@pytest.fixture
def app() -> Celery:
    """An application of the tests' own, with the base class that the real one names."""
    return Celery("tests", task_cls="bitvault.kernel.tasks:TenantTask", set_as_current=False)


@pytest.fixture
def visits(app):
    """What a task saw each time that its body ran."""
    seen = []

    @app.task(name="tests.visit", shared=False)
    def visit(*words: str) -> str:
        seen.append((tenancy.current().slug, current_request_id(), *words))
        return tenancy.current().slug

    @app.task(name="tests.platform", shared=False, tenant_required=False)
    def platform() -> None:
        seen.append((tenancy.find_current(), current_request_id()))

    @app.task(name="tests.failing", shared=False)
    def fail() -> None:
        seen.append((tenancy.current().slug, current_request_id()))
        raise ZeroDivisionError

    return SimpleNamespace(visit=visit, platform=platform, fail=fail, seen=seen)


def call(task, *args, headers=None):
    """Run a task as a worker does: its request made of the message, the exception given back."""
    return task.apply(args, headers=headers, throw=True).get()


@pytest.mark.committed
def test_a_task_runs_for_the_tenant_of_its_header(visits, acme, beta):
    assert call(visits.visit, "a", headers=for_tenant(acme.id)) == "acme"
    assert call(visits.visit, "b", headers=for_tenant(beta.id)) == "beta"
    assert [visit[::2] for visit in visits.seen] == [("acme", "a"), ("beta", "b")]


@pytest.mark.parametrize("headers", [None, {}, {TENANT_HEADER: ""}, {TENANT_HEADER: None}, {"tenant": "acme"}], ids=str)
def test_a_task_without_a_tenant_does_not_run(visits, headers):
    with pytest.raises(tenancy.NoTenant, match=r"tests\.visit came without a tenant"):
        call(visits.visit, headers=headers)
    assert visits.seen == []


@pytest.mark.committed
def test_a_task_of_a_tenant_that_is_gone_does_not_run(visits):
    with pytest.raises(TenantGone):
        call(visits.visit, headers=for_tenant(ids.new_id()))
    assert visits.seen == []


@pytest.mark.committed
def test_a_task_of_a_suspended_tenant_does_not_run(visits, acme):
    from apps.identity import api as identity

    assert call(visits.visit, headers=for_tenant(acme.id)) == "acme"
    identity.suspend_tenant(tenant_id=acme.id)
    with pytest.raises(TenantGone):
        call(visits.visit, headers=for_tenant(acme.id))
    assert len(visits.seen) == 1


@pytest.mark.parametrize("named", ["acme", "t_template", "0190", "'; DROP", "01900000-0000-7000-a000-00000000000g"])
def test_a_header_that_is_no_id_finds_no_tenant(visits, named):
    with pytest.raises(ValueError):
        call(visits.visit, headers={TENANT_HEADER: named})
    assert visits.seen == []


def test_a_task_of_the_platform_runs_without_a_tenant(visits):
    call(visits.platform)
    assert [tenant for tenant, _ in visits.seen] == [None]


@pytest.mark.committed
def test_nothing_is_left_of_a_task(visits, acme, beta):
    call(visits.visit, headers=for_tenant(acme.id))
    with pytest.raises(ZeroDivisionError):
        call(visits.fail, headers=for_tenant(acme.id))
    assert tenancy.find_current() is None
    assert current_request_id() is None
    call(visits.visit, headers=for_tenant(beta.id))
    call(visits.platform)
    assert visits.seen[-1][0] is None


@pytest.mark.committed
def test_a_task_carries_its_id_as_the_request_id(visits, acme):
    result = visits.visit.apply(headers=for_tenant(acme.id), task_id="01900000-0000-7000-8000-0000000000aa")
    result.get()
    assert visits.seen[0][1] == "01900000-0000-7000-8000-0000000000aa"


@pytest.mark.committed
def test_a_task_reaches_the_tables_of_its_tenant(app, acme):
    @app.task(name="tests.reading", shared=False)
    def read() -> str:
        from django.db import connection

        with db.read_transaction(), connection.cursor() as cursor:
            cursor.execute("SELECT current_user")
            return cursor.fetchone()[0]

    assert call(read, headers=for_tenant(acme.id)) == acme.schema


def test_every_task_of_the_product_is_one_of_these():
    from bitvault.gateway.celery import app as real

    real.loader.import_default_modules()
    ours = {name: task for name, task in real.tasks.items() if not name.startswith("celery.")}
    assert ours
    assert [name for name, task in ours.items() if not isinstance(task, TenantTask)] == []


def test_a_task_that_needs_no_tenant_says_so_by_name():
    """Each of these was thought about; another one is added here with its reason."""
    from bitvault.gateway.celery import app as real

    real.loader.import_default_modules()
    free = {name for name, task in real.tasks.items() if not name.startswith("celery.") and not task.tenant_required}
    assert free == {
        "events.keep_partitions",  # tables of the stream, for all tenants at once
        "jobs.dispatch",  # looks at the lanes of all tenants, ids and no contents
        "jobs.work",  # leases a job of any tenant, and enters its tenant for the work
        "jobs.sweep",  # old rows of all tenants
        "events.relay",  # reads heads and cursors of all tenants, names of rows and no contents
        "gateway.for_each_tenant",  # sends the tasks that have a tenant
        "storage.probe_store",  # the store is one for all tenants
        "identity.check_domains",  # names of all tenants, each event of which goes to the stream of its own
        "identity.end_impersonations",  # of all tenants, each event of which goes to the stream of its own
        "billing.look_after_payments",  # accounts of all tenants, each of which is asked about by a job of its own
        "identity.sweep_sessions",  # sessions stand in the public schema
        "backup.request",  # asks for the backup of all tenants, and opens none itself
        "gateway.request_anchor_copies",  # asks for the job that copies what all tenants have signed
        "gateway.watch_anchors",  # reads one row of the installation
        "gateway.watch_siem",  # looks into each tenant in turn, and tells of the installation
        "gateway.remove_tenants",  # a tenant that is going is not entered any more
        "gateway.rebuild_outdated",  # reads cursors of all tenants, and enters the one whose rebuild it asks for
    }


def test_a_worker_knows_every_task_that_is_scheduled():
    """Asked in a process of its own: here, tests have imported modules that no worker imports."""
    program = (
        "import django; django.setup(); from bitvault.gateway.celery import app; app.loader.import_default_modules();"
        "names = {one['task'] for one in app.conf.beat_schedule.values()}"
        " | {word for one in app.conf.beat_schedule.values() for word in one.get('args', ()) if '.' in str(word)};"
        "print(sorted(names - set(app.tasks)))"
    )
    told = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
    )
    assert told.stdout.strip() == "[]"
