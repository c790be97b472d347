-- Roles for Muster on PostgreSQL: who makes the schema, who works with it, and
-- who only reports. Muster runs without them too; with them, whoever gets hold
-- of the running program's database user cannot change what is in the ledger.
--
--   psql --dbname muster --file postgres-roles.sql
--
-- Run it as a superuser, or as a role that may create roles and is a member of
-- muster_owner: once before the first start, and again whenever muster_owner
-- has brought the schema up to date. It does no harm at any time. Set passwords
-- or certificates yourself, and let every connection verify the server:
-- sslmode=verify-full.

BEGIN;
SET LOCAL client_min_messages = 'warning';

DO $$
DECLARE
    role TEXT;
BEGIN
    FOREACH role IN ARRAY ARRAY['muster_owner', 'muster_app', 'muster_report'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role) THEN
            BEGIN
                EXECUTE format('CREATE ROLE %I LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE', role);
            EXCEPTION WHEN duplicate_object OR unique_violation THEN
                NULL; -- Somebody else made it meanwhile.
            END;
        END IF;
        EXECUTE format('GRANT CONNECT ON DATABASE %I TO %I', current_database(), role);
    END LOOP;
END $$;

-- muster_owner makes and changes tables; nobody else does.
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
GRANT USAGE, CREATE ON SCHEMA public TO muster_owner;
GRANT USAGE ON SCHEMA public TO muster_app, muster_report;

-- muster_app does the work of muster serve and of the commands.
ALTER DEFAULT PRIVILEGES FOR ROLE muster_owner IN SCHEMA public
    GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO muster_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO muster_app;

-- It only adds to the ledger, and only reads which version the schema has.
DO $$
BEGIN
    IF to_regclass('public.chain') IS NOT NULL THEN
        REVOKE UPDATE, DELETE, TRUNCATE ON decision, audit, chain FROM muster_app;
        REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON schema_version FROM muster_app;

        -- muster_report sees the ledger as one list, and nothing else.
        EXECUTE $view$
            CREATE OR REPLACE VIEW ledger_report AS
            SELECT c.seq, c.kind, to_timestamp(COALESCE(d.decided_at, a.noted_at) / 1000.0) AS at,
                COALESCE(d.status, a.what) AS what, COALESCE(d.repository, a.repository) AS repository,
                COALESCE(d.actor, a.actor) AS actor, d.login, d.role, d.via, d.rule, d.findings, d.reason,
                to_timestamp(d.until / 1000.0) AS until, d.approver, d.evidence_url, a.detail, c.hash
            FROM chain AS c
            LEFT JOIN decision AS d ON c.kind = 'decision' AND d.id = c.entry
            LEFT JOIN audit AS a ON c.kind = 'audit' AND a.id = c.entry
        $view$;
        ALTER VIEW ledger_report OWNER TO muster_owner;
        REVOKE ALL ON ledger_report FROM muster_app;
        GRANT SELECT ON ledger_report TO muster_report;
    END IF;
END $$;

COMMIT;
