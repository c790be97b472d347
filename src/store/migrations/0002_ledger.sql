-- The chain over decisions and the audit, and how far Muster has got to know
-- an organization whose past its ledger does not hold.

-- One link for each entry, in the order in which the entries were written.
-- `kind` is decision or audit, `entry` the id there; `hash` is the SHA-256 of
-- the entry together with `previous`, the hash of the link before.
CREATE TABLE chain (
    seq BIGINT NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL,
    entry BIGINT NOT NULL,
    previous TEXT NOT NULL,
    hash TEXT NOT NULL
);
CREATE UNIQUE INDEX chain_by_entry ON chain (entry, kind);
INSERT INTO counter (name, value) VALUES ('chain', 0);

CREATE TABLE adoption (
    account BIGINT NOT NULL PRIMARY KEY,
    begun_at BIGINT NOT NULL,
    -- When the last complete list of the account's repositories was asked for.
    listed_at BIGINT,
    -- Whether anything of ours was seen there.
    found BIGINT NOT NULL,
    -- Whether the ledger came from a backup, so that only the newest is missing.
    restored BIGINT NOT NULL,
    ended_at BIGINT,
    ending TEXT
);

-- Whoever was served before this table came needs no adoption.
INSERT INTO adoption (account, begun_at, found, restored, ended_at, ending)
SELECT account, MIN(seen_at), 0, 0, MIN(seen_at), 'known' FROM installation GROUP BY account;

CREATE INDEX repository_unread ON repository (installation)
    WHERE judged_at IS NULL AND removed_at IS NULL;
