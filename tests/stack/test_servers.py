"""The three servers of a stack: reachable by their secrets, on loopback only, and by nobody without them."""

import json
from pathlib import Path

import psycopg
import pytest
import redis

from bitvault.stack.throwaway import ThrowawayServices
from tests.stack.processes import descendants, listening_addresses
from tests.stack.test_seaweedfs_doors import LOOPBACK_HEX


def test_everything_listens_on_loopback_alone(servers):
    family = set().union(*(descendants(child.pid) for child in servers.group.children))
    listening = listening_addresses(family)
    assert {address for address, _ in listening} == {LOOPBACK_HEX}
    assert {port for _, port in listening} == set(servers.ports.values()) - {
        servers.ports["web"],
        servers.ports["wsgi"],
        servers.ports["sockets"],
    }


def test_every_port_is_below_the_range_for_outgoing_connections(servers):
    from bitvault.stack.ports import ephemeral_start

    assert max(servers.ports.values()) < ephemeral_start()


def test_valkey_wants_its_password_and_never_evicts(servers):
    with redis.Redis(port=servers.ports["valkey"], retry=None) as stranger, pytest.raises(redis.AuthenticationError):
        stranger.ping()
    with redis.Redis.from_url(servers.valkey.url) as client:
        assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}


def test_postgresql_wants_its_password(servers):
    for url in (servers.postgresql.url, servers.postgresql.admin_url):
        with psycopg.connect(url) as connection:
            assert connection.info.server_version >= 180_000
        wrong = psycopg.conninfo.make_conninfo(url, password="wrong")
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(wrong).close()


def test_postgresql_does_not_run_as_root(servers):
    postgres = next(child for child in servers.group.children if child.program.name == "postgresql")
    for line in Path(f"/proc/{postgres.pid}/status").read_text().splitlines():
        if line.startswith(("Uid:", "Gid:")):
            assert "0" not in line.split()[1:]


@pytest.fixture
def login(servers):
    with psycopg.connect(servers.postgresql.url, autocommit=True) as connection:
        yield connection


def one(connection, query):
    return connection.execute(query).fetchone()[0]


def test_preparing_the_database_again_changes_nothing(servers):
    def rights():
        with psycopg.connect(servers.postgresql.admin_url) as admin:
            return admin.execute(
                """SELECT (SELECT array_agg((rolname, rolcanlogin, rolcreaterole, rolsuper, rolcreatedb, rolconfig)::text
                                            ORDER BY rolname) FROM pg_roles WHERE rolname LIKE 'bitvault%'),
                          (SELECT array_agg((roleid::regrole, member::regrole, admin_option, inherit_option, set_option)::text
                                            ORDER BY roleid, member) FROM pg_auth_members WHERE roleid::regrole::text LIKE 'bitvault%'),
                          (SELECT array_agg(defaclacl::text ORDER BY oid) FROM pg_default_acl),
                          (SELECT nspacl::text FROM pg_namespace WHERE nspname = 'public'),
                          (SELECT datacl::text FROM pg_database WHERE datname = 'bitvault')"""
            ).fetchone()

    before = rights()
    servers.postgresql.prepare_database()
    assert rights() == before


def test_the_login_role_has_limits_and_no_power_of_its_own(login):
    assert one(login, "SHOW statement_timeout") == "30s"
    assert one(login, "SHOW lock_timeout") == "3s"
    assert one(login, "SHOW idle_in_transaction_session_timeout") == "30s"
    assert one(login, "SHOW search_path") == "public"
    for refused in (
        "CREATE TABLE mine (i int)",
        "CREATE SCHEMA mine",
        "CREATE ROLE mine",
        "CREATE TEMPORARY TABLE mine (i int)",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            login.execute(refused)


def test_a_tenant_role_reaches_its_own_schema_and_no_other(login):
    login.execute("SET ROLE bitvault_owner")
    try:
        for tenant in ("t_one", "t_two"):
            login.execute(f"CREATE ROLE {tenant}")
            login.execute(f"GRANT {tenant} TO bitvault WITH INHERIT FALSE, SET TRUE")
            login.execute(f"GRANT bitvault_tenant TO {tenant}")
            login.execute(f"CREATE SCHEMA {tenant} CREATE TABLE node (i int)")
            login.execute(f"GRANT USAGE ON SCHEMA {tenant} TO {tenant}")
            login.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA {tenant} TO {tenant}")
        login.execute("RESET ROLE")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            login.execute("SELECT * FROM t_one.node")
        login.execute("SET ROLE t_one")
        assert login.execute("SELECT * FROM t_one.node").fetchall() == []
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            login.execute("SELECT * FROM t_two.node")
    finally:
        login.execute("SET ROLE bitvault_owner")
        login.execute("DROP SCHEMA IF EXISTS t_one, t_two CASCADE")
        login.execute("DROP ROLE IF EXISTS t_one, t_two")


def test_what_the_owner_makes_in_public_the_login_may_use(login):
    login.execute("SET ROLE bitvault_owner")
    login.execute("CREATE TABLE public.made (id bigserial, i int)")
    login.execute("RESET ROLE")
    try:
        login.execute("INSERT INTO public.made (i) VALUES (1)")
        login.execute("UPDATE public.made SET i = 2")
        assert login.execute("SELECT id, i FROM public.made").fetchall() == [(1, 2)]
        login.execute("DELETE FROM public.made")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            login.execute("TRUNCATE public.made")
    finally:
        login.execute("SET ROLE bitvault_owner")
        login.execute("DROP TABLE public.made")


def test_throwaway_servers_leave_their_logs_and_nothing_else(tmp_path):
    with ThrowawayServices(tmp_path) as environment:
        assert json.loads((tmp_path / "env.json").read_text()) == environment
    assert {entry.name for entry in tmp_path.iterdir()} == {"log", "secrets.json"}
