-- Roles, rights and the database that BitVault needs. For PostgreSQL 16 or later; run it as an administrator who may make roles and
-- databases (a superuser, or CREATEROLE and CREATEDB), with psql, as often as you like: a second run changes nothing.
--
--     BITVAULT_DATABASE_PASSWORD=… psql --no-psqlrc --set ON_ERROR_STOP=1 --dbname postgres --file deploy/postgresql/prepare.sql
--
-- Without BITVAULT_DATABASE_PASSWORD the password of the role `bitvault` stays as it is; set it with \password bitvault.
--
-- bitvault         logs in; owns nothing, reads and writes the public plane only.
-- bitvault_owner   owns the database and every table; migrations and the making of tenants switch to it (SET ROLE).
-- bitvault_tenant  what each tenant's own role may do in the public plane; every role t_<tenant id> is a member.

\set ECHO none
\getenv bitvault_password BITVAULT_DATABASE_PASSWORD

SELECT 'CREATE ROLE bitvault_owner NOLOGIN CREATEROLE' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'bitvault_owner') \gexec
SELECT 'CREATE ROLE bitvault_tenant NOLOGIN' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'bitvault_tenant') \gexec
SELECT 'CREATE ROLE bitvault LOGIN' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'bitvault') \gexec

-- An administrator who is no superuser has to be a member of the owner to make things in its name.
SELECT format('GRANT bitvault_owner TO %I WITH INHERIT TRUE, SET TRUE', current_user)
 WHERE NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) \gexec

-- The owner may put the roles of tenants into bitvault_tenant.
GRANT bitvault_tenant TO bitvault_owner WITH ADMIN OPTION;
-- The login inherits nothing: it has to say SET ROLE before it can change a table's shape.
GRANT bitvault_owner TO bitvault WITH INHERIT FALSE, SET TRUE;

-- No request of ours is worth more: a longer one is a defect, and it holds locks that others wait for.
ALTER ROLE bitvault SET statement_timeout = '30s';
ALTER ROLE bitvault SET lock_timeout = '3s';
ALTER ROLE bitvault SET idle_in_transaction_session_timeout = '30s';
ALTER ROLE bitvault SET search_path = public;
-- The statements that BitVault prepares find rows by key: one plan is right for all values, and planning costs more than running.
ALTER ROLE bitvault SET plan_cache_mode = force_generic_plan;

\if :{?bitvault_password}
SELECT format('ALTER ROLE bitvault PASSWORD %L', :'bitvault_password') \gexec
\endif

SELECT 'CREATE DATABASE bitvault OWNER bitvault_owner ENCODING ''UTF8'' TEMPLATE template0'
 WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'bitvault') \gexec

\connect bitvault

REVOKE ALL ON DATABASE bitvault FROM PUBLIC;
GRANT CONNECT ON DATABASE bitvault TO bitvault;
-- CREATE: each tenant is a schema of its own, and the owner makes it.
GRANT CONNECT, CREATE, TEMPORARY ON DATABASE bitvault TO bitvault_owner;

ALTER SCHEMA public OWNER TO bitvault_owner;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO bitvault, bitvault_tenant;

-- What the owner makes in public from now on, the login may read and write. The rights of bitvault_tenant are given table by table
-- by the migrations, since they differ.
ALTER DEFAULT PRIVILEGES FOR ROLE bitvault_owner IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO bitvault;
ALTER DEFAULT PRIVILEGES FOR ROLE bitvault_owner IN SCHEMA public GRANT USAGE ON SEQUENCES TO bitvault;
