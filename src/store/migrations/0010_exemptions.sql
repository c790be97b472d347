-- The register of exemptions: what it says now, why a later one was refused,
-- and everything that was ever in force.

-- The register that was read last and taken.
CREATE TABLE exemption_register (
    account BIGINT NOT NULL PRIMARY KEY,
    -- The control repository, its tip and the object id of the file.
    repository BIGINT NOT NULL,
    head TEXT NOT NULL,
    oid TEXT NOT NULL,
    annex BIGINT NOT NULL,
    read_at BIGINT NOT NULL
);

-- Its entries, in the order of the file, each with what is known of its approval.
CREATE TABLE exemption_entry (
    account BIGINT NOT NULL,
    place BIGINT NOT NULL,
    repository BIGINT NOT NULL,
    entry TEXT NOT NULL,
    PRIMARY KEY (account, place)
);

-- A file that was not taken, and why.
CREATE TABLE exemption_refusal (
    account BIGINT NOT NULL PRIMARY KEY,
    oid TEXT,
    why TEXT NOT NULL,
    refused_at BIGINT NOT NULL
);

-- What was in force from when to when. Only added to.
CREATE TABLE exemption_event (
    id BIGINT NOT NULL PRIMARY KEY,
    account BIGINT NOT NULL,
    repository BIGINT NOT NULL,
    digest TEXT NOT NULL,
    happened TEXT NOT NULL,
    happened_at BIGINT NOT NULL
);
CREATE INDEX exemption_event_by_account ON exemption_event (account, id);
INSERT INTO counter (name, value) VALUES ('exemption_event', 0);
