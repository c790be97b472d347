-- Check runs on pull requests.

-- A pull request whose check run was asked for, and the head it had then. It
-- waits while `asked` is above `answered`.
CREATE TABLE pull_request_check (
    repository BIGINT NOT NULL,
    -- GraphQL's global id: the same under every name of the repository.
    pull_request TEXT NOT NULL,
    installation BIGINT NOT NULL,
    head TEXT NOT NULL,
    -- How often people have asked once more about this head.
    attempt BIGINT NOT NULL,
    -- Rises with each wish.
    asked BIGINT NOT NULL,
    -- The wish that was answered last.
    answered BIGINT NOT NULL,
    asked_at BIGINT NOT NULL,
    PRIMARY KEY (repository, pull_request)
);
CREATE INDEX pull_request_check_waiting ON pull_request_check (installation)
    WHERE asked > answered;

-- Check runs count for the minute, not for the hour (etiquette 4.5).
ALTER TABLE content_write ADD COLUMN hourly BIGINT NOT NULL DEFAULT 1;
