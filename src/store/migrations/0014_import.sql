-- What the policy names in inventory.import, by whose policy it is.
CREATE TABLE import (
    account BIGINT NOT NULL PRIMARY KEY,
    -- What was asked for last, as the policy writes it.
    asked TEXT NOT NULL,
    asked_at BIGINT NOT NULL,
    -- Why that came to nothing; NULL if it did not.
    problem TEXT,
    -- Of the last that could be used: what the policy called it, its git object
    -- id or SHA-256, the validator of its server, and when it was read.
    source TEXT,
    version TEXT,
    etag TEXT,
    read_at BIGINT
);

-- The entries of the last import that could be used.
CREATE TABLE imported (
    account BIGINT NOT NULL,
    position BIGINT NOT NULL,
    -- JSON.
    entry TEXT NOT NULL,
    PRIMARY KEY (account, position)
);

-- What everybody gets of a published file, fetched as anybody would.
CREATE TABLE verification (
    agency TEXT NOT NULL,
    file TEXT NOT NULL,
    url TEXT NOT NULL,
    checked_at BIGINT NOT NULL,
    -- SHA-256 of what was published then.
    expected TEXT NOT NULL,
    -- Why what was fetched is not that; NULL if it is.
    differs TEXT,
    -- Of the last one that was: when, its SHA-256, and JSON: the identifiers
    -- that a harvester took, and what it dropped and deleted.
    verified_at BIGINT,
    sha256 TEXT,
    identifiers TEXT,
    harvest TEXT,
    PRIMARY KEY (agency, file)
);
