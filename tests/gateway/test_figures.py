"""What operators watch: figures of the installation, and the alert rules that stand on them."""

import os
import re
import subprocess
import sys
from datetime import timedelta

import pytest
import yaml
from django.db.models import F
from django.test import Client
from prometheus_client.parser import text_string_to_metric_families

from apps.storage import api as storage
from bitvault.backup.models import BackupRun
from bitvault.events import consuming, heartbeats, operating
from bitvault.events.models import Heartbeat
from bitvault.kernel import clock, tenancy
from bitvault.stack.layout import ROOT
from tests.events.conftest import note, reader

__all__ = ["note", "reader"]

pytestmark = pytest.mark.committed

RULES = ROOT / "deploy" / "prometheus" / "bitvault.rules.yml"
KEY = "a key of the operators"


@pytest.fixture
def scrape(settings):
    """Ask for the figures; gives ``{name: {labels' values: figure}}``."""
    settings.BITVAULT_METRICS_KEY = KEY

    def ask() -> dict:
        answer = Client(headers={"host": "127.0.0.1", "authorization": f"Bearer {KEY}"}).get("/metrics")
        assert answer.status_code == 200
        families = text_string_to_metric_families(answer.content.decode())
        return {
            family.name: {tuple(sample.labels.values()): sample.value for sample in family.samples}
            for family in families
        }

    return ask


def test_a_consumer_that_is_behind_shows_in_rows_seconds_and_its_deepest_tenant(scrape, acme, beta, reader, note):
    with tenancy.entered(acme):
        note("a", "b", "c")
    with tenancy.entered(beta):
        note("a")
    with clock.fixed_at(clock.now() + timedelta(seconds=90)):
        figures = scrape()
    assert figures["bitvault_consumer_lagging_tenants"][("tests",)] == 2
    assert figures["bitvault_consumer_lag_rows"][("tests",)] == 4
    assert figures["bitvault_consumer_deepest_lag_rows"][("tests",)] == 3
    assert 89 <= figures["bitvault_consumer_lag_seconds"][("tests",)] < 600


def test_the_last_backup_shows_and_a_wanted_one_that_never_came(scrape, settings):
    assert figures_of_backup(scrape()) == ({}, {}, {})
    settings.BITVAULT_BACKUP = {**settings.BITVAULT_BACKUP, "target": "/srv/backups"}
    assert figures_of_backup(scrape())[0] == {(): float("inf")}
    BackupRun.objects.create(
        id="b",
        target="/srv/backups",
        state=BackupRun.State.DONE,
        database_bytes=5,
        object_bytes=7,
        lost_count=1,
        started_at=clock.now(),
        finished_at=clock.now() - timedelta(hours=1),
    )
    age, size, lost = figures_of_backup(scrape())
    assert 3600 <= age[()] < 3700
    assert (size, lost) == ({("database",): 5, ("objects",): 7}, {(): 1})


def figures_of_backup(figures):
    return tuple(figures[f"bitvault_backup_{name}"] for name in ("age_seconds", "bytes", "lost_objects"))


def test_the_age_is_that_of_the_oldest_unfinished_event(scrape, acme, reader, note):
    moment = clock.now()
    with tenancy.entered(acme):
        note("a")
        consuming.consume("tests")
        note("b")
    with clock.fixed_at(moment + timedelta(seconds=3600)):
        assert 3500 < scrape()["bitvault_consumer_lag_seconds"][("tests",)] < 3601
    with tenancy.entered(acme):
        consuming.consume("tests")
    with clock.fixed_at(moment + timedelta(seconds=3600)):
        assert scrape()["bitvault_consumer_lag_seconds"][("tests",)] == 0


def test_dead_letters_show_until_they_are_settled(scrape, acme, reader, note):
    reader.refuses.add("poison")
    with tenancy.entered(acme):
        note("poison")
        consuming.consume("tests")
        operating.skip_event(consumer="tests", by=None)
        assert scrape()["bitvault_dead_letters"][("tests",)] == 1
        operating.drop_dead_letter(letter_id=operating.list_dead_letters()[0].id, by=None)
    assert scrape()["bitvault_dead_letters"][("tests",)] == 0


def test_what_waits_costs_as_many_queries_for_many_tenants_as_for_one(acme, reader, django_assert_num_queries):
    with django_assert_num_queries(2):
        operating.list_backlogs()


def test_a_dead_scheduler_shows_in_the_figures_and_at_its_own_address(scrape, reader):
    client = Client(headers={"host": "127.0.0.1"})
    Heartbeat.objects.all().delete()
    assert scrape()["bitvault_heartbeat_age_seconds"][("relay",)] == float("inf")
    assert client.get("/beatz").status_code == 503
    for name in heartbeats.SILENCE_LIMITS_SECONDS:
        heartbeats.take_turn(name, seconds=0)
    answer = client.get("/beatz")
    assert (answer.status_code, answer.json()["silent"]) == (200, [])
    Heartbeat.objects.update(beaten_at=F("beaten_at") - timedelta(seconds=60))
    assert scrape()["bitvault_heartbeat_age_seconds"][("relay",)] >= 59
    answer = client.get("/beatz")
    assert (answer.status_code, answer.json()["silent"]) == (503, ["beat", "relay"])
    assert client.get("/healthz").status_code == 200
    assert "beat" not in client.get("/readyz").json(), "the web serves without them"


def test_a_vaults_own_host_says_nothing_about_the_scheduler(committed):
    assert Client(headers={"host": "acme.localhost"}).get("/beatz").status_code == 404


@pytest.mark.parametrize(("found", "shown"), [(None, {}), (True, {(): 1}), (False, {(): 0})])
def test_a_store_that_lacks_something_shows(scrape, monkeypatch, found, shown):
    monkeypatch.setattr(storage, "find_store_fitness", lambda: found)
    assert scrape()["bitvault_store_fit"] == shown


def test_uploads_that_cannot_be_swept_show(scrape, acme, make_actor, monkeypatch):
    from apps.storage.errors import StoreUnavailable
    from apps.storage.operations import starting, sweeping
    from bitvault.kernel import ids

    with tenancy.entered(acme):
        starting.start(
            upload_id=ids.new_id(),
            by=make_actor("mia"),
            size_bytes=10,
            media_type="text/plain",
            destination={},
            part_hashes=[],
            base_blob_id=None,
            known_blob_id=None,
            client_modified_at=None,
        )
        later = clock.now() + timedelta(days=10)
        with clock.fixed_at(later):
            monkeypatch.setattr(sweeping, "_clean", _refuse(StoreUnavailable))
            sweeping.sweep_all()
            assert scrape()["bitvault_uploads_overdue"][()] == 1
        with clock.fixed_at(later + timedelta(hours=1)):
            assert scrape()["bitvault_uploads_sweep_age_seconds"][()] == 3600


def _refuse(error):
    def fail(*_, **__):
        raise error

    return fail


def test_a_database_that_does_not_answer_is_a_figure_too(scrape, monkeypatch):
    from django.db import OperationalError

    from bitvault.gateway import figures

    assert scrape()["bitvault_installation_up"][()] == 1
    monkeypatch.setattr(figures.operating, "list_backlogs", _refuse(OperationalError))
    found = scrape()
    assert found["bitvault_installation_up"][()] == 0
    assert "bitvault_requests" in found


def test_what_operators_have_paused_shows(scrape, reader):
    from bitvault.events.models import PausedConsumer
    from bitvault.jobs.models import PausedKind

    PausedConsumer.objects.create(consumer="tests", reason="it hurts", paused_at=clock.now())
    PausedKind.objects.create(kind="mail.send", reason="it hurts", paused_at=clock.now())
    paused = {names for names, value in scrape()["bitvault_paused"].items() if value}
    assert paused == {("tests", "consumer"), ("mail.send", "kind of job")}


def test_partitions_ahead_are_counted(scrape):
    assert scrape()["bitvault_stream_days_ahead"][()] >= 7


# --- processes that are counted together ---------------------------------------------------------------------------------------


def test_processes_that_share_a_directory_are_counted_together(tmp_path):
    program = (
        "import django; django.setup()\n"
        "from bitvault.gateway import figures, middleware\n"
        "middleware.REQUESTS.labels('GET', 'counted', 200).inc()\n"
        "print([line for line in figures.show().decode().splitlines() if 'counted' in line][0])\n"
    )
    environment = {**os.environ, "BITVAULT_METRICS_DIRECTORY": str(tmp_path / "figures")}
    environment.setdefault("DJANGO_SETTINGS_MODULE", "bitvault.settings.test")
    said = [
        subprocess.run([sys.executable, "-c", program], env=environment, cwd=ROOT, check=True, capture_output=True)
        .stdout.decode()
        .split()[-1]
        for _ in range(2)
    ]
    assert said == ["1.0", "2.0"]


# --- rules ---------------------------------------------------------------------------------------------------------------------


def rules() -> list[dict]:
    return [rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]]


def test_every_figure_that_a_rule_names_is_there(scrape):
    known = set()
    for name in scrape():
        known |= {name, f"{name}_total", f"{name}_bucket", f"{name}_sum", f"{name}_count"}
    named = {name for rule in rules() for name in re.findall(r"\bbitvault_\w+", rule["expr"])}
    assert named
    assert named - known == set()


def test_every_rule_says_what_is_the_matter_and_where_it_is_told_what_to_do():
    guide = (ROOT / "docs" / "operating.md").read_text()
    headings = {heading.lower() for heading in re.findall(r"^#+ (\w+)$", guide, re.MULTILINE)}
    names = [rule["alert"] for rule in rules()]
    assert len(names) == len(set(names))
    for rule in rules():
        assert rule["labels"]["severity"] in {"page", "ticket"}, rule
        assert {"summary", "description", "runbook"} <= set(rule["annotations"]), rule
        assert rule["annotations"]["runbook"] == f"docs/operating.md#{rule['alert'].lower()}"
        assert rule["alert"].lower() in headings, rule["alert"]


def test_the_alarm_sounds_when_the_limit_of_readiness_is_passed():
    [silent] = [rule for rule in rules() if rule["alert"] == "BitVaultSchedulerSilent"]
    assert silent["expr"].endswith(f"> {heartbeats.SILENCE_LIMITS_SECONDS['relay']:g}")
    [behind] = [rule for rule in rules() if rule["alert"] == "BitVaultConsumerBehind"]
    assert behind["expr"].endswith("> 60")
