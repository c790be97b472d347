-- A repository's own code.json.

-- What of it Muster wrote.
CREATE TABLE own_file (
    repository BIGINT NOT NULL PRIMARY KEY,
    -- What no person wrote in the file of the pull request, before GitHub was
    -- asked to take it: JSON of a record.
    proposed TEXT,
    -- What the branch of the pull request is known to carry, as text.
    carries TEXT,
    -- What of `proposed` came with the last pull request that was merged.
    merged TEXT
);

-- What people answered in the text of a pull request, and who they were.
CREATE TABLE own_file_answer (
    repository BIGINT NOT NULL,
    -- A JSON pointer.
    field TEXT NOT NULL,
    -- JSON.
    value TEXT NOT NULL,
    -- The pull request.
    number BIGINT NOT NULL,
    actor BIGINT NOT NULL,
    login TEXT NOT NULL,
    answered_at BIGINT NOT NULL,
    PRIMARY KEY (repository, field)
);

-- Answers of which nobody has looked yet whether they count.
CREATE TABLE own_file_said (
    repository BIGINT NOT NULL,
    field TEXT NOT NULL,
    -- GraphQL's global id of the pull request.
    pull_request TEXT NOT NULL,
    -- JSON: what stands in the place of the question.
    filled TEXT NOT NULL,
    actor BIGINT NOT NULL,
    login TEXT NOT NULL,
    said_at BIGINT NOT NULL,
    PRIMARY KEY (repository, field)
);
