-- Labor hours, estimated from source lines where no person gave a number.
CREATE TABLE labor (
    repository BIGINT NOT NULL PRIMARY KEY,
    -- The commit that was looked at last; empty if its archive did not come.
    head TEXT NOT NULL,
    -- Not again before.
    due_at BIGINT NOT NULL,
    -- Of the last commit that could be counted: which, when, its source lines,
    -- hours, and by which method.
    counted_head TEXT,
    counted_at BIGINT,
    code BIGINT,
    hours BIGINT,
    method TEXT,
    -- Why a later one could not be; NULL if it could.
    problem TEXT
);
