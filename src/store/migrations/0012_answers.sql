-- What people said of repositories in the control repository
-- (`records/<id>.json`), by whose it is.
CREATE TABLE answer (
    account BIGINT NOT NULL,
    repository BIGINT NOT NULL,
    -- The file's git object id.
    oid TEXT NOT NULL,
    -- JSON: what it says; NULL if that cannot be used.
    record TEXT,
    -- Why it cannot be used.
    problem TEXT,
    PRIMARY KEY (account, repository)
);
