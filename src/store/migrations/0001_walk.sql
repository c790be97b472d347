-- What the walk from a push to a pull request has to remember.
-- Both databases read this file as it is, so a column is one of BIGINT
-- (identifiers, milliseconds since 1970 in UTC, 0 or 1), TEXT and BYTEA.

-- Numbers handed out one after the other. Whoever takes one holds the row
-- until its transaction ends, so takers of one name pass one at a time.
CREATE TABLE counter (
    name TEXT NOT NULL PRIMARY KEY,
    value BIGINT NOT NULL
);
INSERT INTO counter (name, value)
VALUES ('fence', 0), ('outstanding', 0), ('decision', 0), ('audit', 0);

CREATE TABLE delivery (
    guid TEXT NOT NULL PRIMARY KEY,
    event TEXT NOT NULL,
    action TEXT,
    installation BIGINT,
    repository BIGINT,
    digest BYTEA NOT NULL,
    known_body BIGINT NOT NULL,
    received_at BIGINT NOT NULL,
    body BYTEA
);
CREATE INDEX delivery_by_digest ON delivery (digest);
CREATE INDEX delivery_by_time ON delivery (received_at);

CREATE TABLE work (
    kind TEXT NOT NULL,
    subject BIGINT NOT NULL,
    installation BIGINT NOT NULL,
    priority BIGINT NOT NULL,
    run_at BIGINT NOT NULL,
    cause TEXT NOT NULL,
    enqueued_at BIGINT NOT NULL,
    every BIGINT,
    generation BIGINT NOT NULL,
    leased_generation BIGINT NOT NULL,
    fence BIGINT NOT NULL,
    owner TEXT,
    lease_until BIGINT,
    attempts BIGINT NOT NULL,
    error TEXT,
    dead_at BIGINT,
    PRIMARY KEY (kind, subject)
);
CREATE INDEX work_runnable ON work (installation, priority, run_at)
    WHERE owner IS NULL AND dead_at IS NULL;
CREATE UNIQUE INDEX work_one_run_per_subject ON work (subject)
    WHERE owner IS NOT NULL;

-- When an installation was last served at a priority: the smaller, the sooner
-- it is its turn.
CREATE TABLE turn (
    installation BIGINT NOT NULL,
    priority BIGINT NOT NULL,
    served BIGINT NOT NULL,
    PRIMARY KEY (installation, priority)
);

CREATE TABLE parked (
    installation BIGINT NOT NULL PRIMARY KEY,
    reason TEXT NOT NULL,
    parked_at BIGINT NOT NULL
);

CREATE TABLE installation (
    id BIGINT NOT NULL PRIMARY KEY,
    account BIGINT NOT NULL,
    login TEXT NOT NULL,
    suspended_at BIGINT,
    removed_at BIGINT,
    seen_at BIGINT NOT NULL
);
CREATE INDEX installation_by_account ON installation (account);

CREATE TABLE repository (
    id BIGINT NOT NULL PRIMARY KEY,
    node_id TEXT NOT NULL,
    installation BIGINT NOT NULL,
    owner TEXT NOT NULL,
    name TEXT NOT NULL,
    visibility TEXT NOT NULL,
    archived BIGINT NOT NULL,
    first_seen_at BIGINT NOT NULL,
    seen_at BIGINT NOT NULL,
    removed_at BIGINT,
    -- When it came from another installation, or got its first commit after
    -- it had been seen empty: its grace begins then.
    arrived_at BIGINT,
    head TEXT,
    policy_digest TEXT,
    facts_digest TEXT,
    due BIGINT,
    judged_at BIGINT,
    report TEXT,
    findings TEXT,
    findings_since BIGINT,
    findings_last BIGINT,
    findings_evaluations BIGINT NOT NULL
);
CREATE INDEX repository_by_installation ON repository (installation, owner, name);

CREATE TABLE outstanding (
    id BIGINT NOT NULL PRIMARY KEY,
    repository BIGINT NOT NULL,
    account BIGINT NOT NULL,
    kind TEXT NOT NULL,
    state TEXT NOT NULL,
    number BIGINT,
    node_id TEXT,
    findings TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX outstanding_one_open ON outstanding (repository, kind)
    WHERE state IN ('creating', 'open');
CREATE INDEX outstanding_by_account ON outstanding (account, created_at);

CREATE TABLE decision (
    id BIGINT NOT NULL PRIMARY KEY,
    repository BIGINT NOT NULL,
    rule TEXT,
    findings TEXT NOT NULL,
    status TEXT NOT NULL,
    actor BIGINT NOT NULL,
    login TEXT NOT NULL,
    role TEXT NOT NULL,
    via TEXT NOT NULL,
    reason TEXT,
    decided_at BIGINT NOT NULL,
    until BIGINT,
    approver BIGINT,
    evidence_url TEXT
);
CREATE INDEX decision_by_repository ON decision (repository, id);

CREATE TABLE audit (
    id BIGINT NOT NULL PRIMARY KEY,
    noted_at BIGINT NOT NULL,
    installation BIGINT,
    repository BIGINT,
    actor BIGINT,
    what TEXT NOT NULL,
    detail TEXT NOT NULL
);
CREATE INDEX audit_by_repository ON audit (repository, id);

CREATE TABLE policy (
    account BIGINT NOT NULL PRIMARY KEY,
    oid TEXT NOT NULL,
    digest TEXT NOT NULL,
    text TEXT NOT NULL,
    taken_at BIGINT NOT NULL
);

CREATE TABLE policy_refusal (
    account BIGINT NOT NULL PRIMARY KEY,
    oid TEXT NOT NULL,
    why TEXT NOT NULL,
    refused_at BIGINT NOT NULL
);
