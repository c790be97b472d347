-- How often repositories are cloned, looked at and forked.

-- What GitHub counted on a day, where it counted something.
CREATE TABLE traffic (
    -- Midnight UTC, with which it began.
    day BIGINT NOT NULL,
    repository BIGINT NOT NULL,
    clones BIGINT NOT NULL,
    cloners BIGINT NOT NULL,
    views BIGINT NOT NULL,
    visitors BIGINT NOT NULL,
    PRIMARY KEY (day, repository)
);

-- The days that were measured, each run of them in one row.
CREATE TABLE traffic_span (
    repository BIGINT NOT NULL,
    first_day BIGINT NOT NULL,
    last_day BIGINT NOT NULL,
    PRIMARY KEY (repository, first_day)
);

-- When a repository was asked about.
CREATE TABLE traffic_poll (
    repository BIGINT NOT NULL PRIMARY KEY,
    tried_on BIGINT NOT NULL,
    -- The last time that GitHub told; NULL if it never did.
    polled_on BIGINT,
    -- All clones that were ever counted, also on days that are forgotten.
    clones BIGINT NOT NULL
);

-- How often a repository had been forked: a row when that is another number.
CREATE TABLE forks (
    repository BIGINT NOT NULL,
    seen_at BIGINT NOT NULL,
    forks BIGINT NOT NULL,
    PRIMARY KEY (repository, seen_at)
);
