"""``.env.example`` and the code know the same variables."""

import re

import pytest
from django.core.exceptions import ImproperlyConfigured

from bitvault.stack.layout import ROOT

EXAMPLE = (ROOT / ".env.example").read_text()
COMPOSE = (ROOT / "compose.yaml").read_text()
READER = (ROOT / "bitvault" / "settings" / "env.py").read_text()


def listed():
    return re.findall(r"^#?(BITVAULT_[A-Z0-9_]+)=", EXAMPLE, re.MULTILINE)


def read():
    return set(re.findall(r"\"(BITVAULT_[A-Z0-9_]+)\"", READER))


def test_every_variable_is_listed_once_and_nothing_else():
    assert sorted(listed()) == sorted(read())


def test_what_must_be_set_is_not_commented_out():
    required = set(re.findall(r"_required\(\"(BITVAULT_[A-Z0-9_]+)\"\)", READER))
    assert required
    assert required <= set(re.findall(r"^(BITVAULT_[A-Z0-9_]+)=", EXAMPLE, re.MULTILINE))


def test_defaults_are_told_as_they_are():
    defaults = dict(re.findall(r"\"(BITVAULT_[A-Z0-9_]+)\",(?: [A-Z_]+,)? default=\"?([^\"()]+?)\"?\)", READER))
    told = dict(re.findall(r"^#(BITVAULT_[A-Z0-9_]+)=(.*)$", EXAMPLE, re.MULTILINE))
    for name, value in defaults.items():
        if name in told and value.lower() not in {"database_url", "s3_endpoint_url", "s3_public_endpoint_url", "[]"}:
            assert told[name] == {"True": "true", "False": "false"}.get(value, value), name


def test_every_variable_is_explained():
    lines = EXAMPLE.splitlines()
    for index, line in enumerate(lines):
        if re.match(r"#?BITVAULT_[A-Z0-9_]+=", line):
            above = index - 1
            while re.match(r"#?[A-Z0-9_]+=", lines[above]):
                above -= 1
            assert lines[above].startswith("# "), line


def test_the_compose_file_asks_for_nothing_that_is_not_listed():
    asked = set(re.findall(r"\$\{([A-Z0-9_]+)[:}]", COMPOSE))
    known = set(re.findall(r"^#?([A-Z0-9_]+)=", EXAMPLE, re.MULTILINE))
    assert asked <= known


def test_the_compose_file_passes_on_everything_that_is_listed_but_what_it_sets_itself():
    passed = set(re.findall(r"^ +(BITVAULT_[A-Z0-9_]+): \$\{\1[:}]", COMPOSE, re.MULTILINE))
    kept = re.search(r"^# It sets these itself.*?\n\n", EXAMPLE, re.MULTILINE | re.DOTALL)
    own = set(re.findall(r"BITVAULT_[A-Z0-9_]+", kept[0]))
    assert passed | own == set(listed())
    assert not passed & own


def test_the_compose_file_has_no_defaults_of_its_own_but_where_it_listens_and_what_the_store_needs():
    defaults = set(re.findall(r"\$\{(BITVAULT_[A-Z0-9_]+):-([^$}]+)\}", COMPOSE))
    # Where nobody has named a domain.
    ports = ("localhost:8000", "127.0.0.1:8333", "127.0.0.1:8334")
    assert defaults == {*(("BITVAULT_DOMAIN", f"http://{port}") for port in ports), ("BITVAULT_S3_REGION", "us-east-1")}


def test_an_empty_variable_is_none(monkeypatch):
    from bitvault.settings import env

    for name in set(listed()) - set(re.findall(r"^(BITVAULT_[A-Z0-9_]+)=", EXAMPLE, re.MULTILINE)):
        monkeypatch.delenv(name, raising=False)
    without = env.read()
    for name in set(listed()) - set(re.findall(r"^(BITVAULT_[A-Z0-9_]+)=", EXAMPLE, re.MULTILINE)):
        monkeypatch.setenv(name, "")
    assert env.read() == without
    assert without.sign_up_open
    assert without.extra_hosts == ()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("BITVAULT_SOCKETS_PER_USER", "many"),
        ("BITVAULT_SOCKETS_PER_ADDRESS", "-1"),
        ("BITVAULT_TRUSTED_PROXY_COUNT", "1.5"),
        ("BITVAULT_SIGN_UP_OPEN", "perhaps"),
        ("BITVAULT_LIMITS", "read=many"),
        ("BITVAULT_LIMITS", "read=10"),
        ("BITVAULT_LIMITS", "read=0/5"),
        ("BITVAULT_LIMITS", "reads=10/5"),
        ("BITVAULT_FAIR_SHARE_PERCENT", "half"),
        ("BITVAULT_WEBHOOK_NETWORKS", "10.1.0.7/16"),
        ("BITVAULT_WEBHOOK_NETWORKS", "inside"),
        ("BITVAULT_DNS_SERVERS", "ns.example.org"),
        ("BITVAULT_DNS_SERVERS", "192.0.2.53:99999"),
        ("BITVAULT_LOG_FORMAT", "xml"),
        ("BITVAULT_LOG_LEVEL", "loud"),
        ("BITVAULT_BASE_URL", "vault.example.com"),
    ],
)
def test_a_wrong_value_is_a_sentence_that_names_its_variable(monkeypatch, name, value):
    from bitvault.settings import env

    monkeypatch.setenv(name, value)
    with pytest.raises(ImproperlyConfigured, match=name):
        env.read()


def test_switches_and_lists_are_read_as_people_write_them(monkeypatch):
    from bitvault.settings import env

    monkeypatch.setenv("BITVAULT_SIGN_UP_OPEN", "False")
    monkeypatch.setenv("BITVAULT_EXTRA_HOSTS", "one.test, two.test,")
    assert not env.read().sign_up_open
    assert env.read().extra_hosts == ("one.test", "two.test")


def test_downloads_have_the_clients_endpoint_unless_they_have_their_own(monkeypatch):
    from bitvault.settings import env

    monkeypatch.delenv("BITVAULT_S3_DOWNLOAD_ENDPOINT_URL", raising=False)
    monkeypatch.setenv("BITVAULT_S3_PUBLIC_ENDPOINT_URL", "https://store.example.com")
    assert env.read().s3_download_endpoint_url == "https://store.example.com"
    monkeypatch.setenv("BITVAULT_S3_DOWNLOAD_ENDPOINT_URL", "https://downloads.example.com")
    assert env.read().s3_download_endpoint_url == "https://downloads.example.com"
    assert env.read().s3_public_endpoint_url == "https://store.example.com"


def test_limits_are_read_as_quota_and_window_or_as_none_at_all(monkeypatch):
    from bitvault.settings import env
    from bitvault.web.limits.policies import DEFAULTS

    monkeypatch.setenv("BITVAULT_LIMITS", "read=2000/5, sign-in=10/60,")
    assert env.read().limits == {"read": (2000, 5), "sign-in": (10, 60)}
    monkeypatch.setenv("BITVAULT_LIMITS", "off")
    assert env.read().limits is None
    monkeypatch.setenv("BITVAULT_LIMITS", "")
    assert env.read().limits == {}
    assert set(env.LIMITS) == set(DEFAULTS)


def test_static_files_and_figures_lie_where_the_surroundings_say(monkeypatch, tmp_path):
    from bitvault.settings import env

    assert env.read().static_directory == str(ROOT / "var" / "static")
    monkeypatch.setenv("BITVAULT_STATIC_DIRECTORY", str(tmp_path / "static"))
    assert env.read().static_directory == str(tmp_path / "static")
    monkeypatch.delenv("PROMETHEUS_MULTIPROC_DIR", raising=False)
    env.share_figures(str(tmp_path / "figures"))
    assert (tmp_path / "figures").is_dir()
    monkeypatch.delenv("PROMETHEUS_MULTIPROC_DIR")


def test_the_image_collects_what_its_processes_serve():
    lines = (ROOT / "Dockerfile").read_text()
    assert "manage.py collectstatic" in lines
    assert "BITVAULT_STATIC_DIRECTORY" not in lines, "both stages use the place beside the code"
    assert "COPY --from=build /srv/bitvault /srv/bitvault" in lines
