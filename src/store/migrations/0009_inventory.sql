-- What is known of a repository for its entry in the inventory.
CREATE TABLE entry (
    repository BIGINT NOT NULL PRIMARY KEY,
    read_at BIGINT NOT NULL,
    -- Its page.
    url TEXT NOT NULL,
    -- JSON: what its host states, and what became of its own file.
    sources TEXT NOT NULL,
    -- JSON: what its own file said when it could last be read.
    record TEXT,
    -- Of all that does not move by itself.
    digest TEXT NOT NULL,
    -- When that was last another.
    changed_at BIGINT NOT NULL,
    -- The pages it had before, the newest last, with spaces between.
    former_urls TEXT NOT NULL
);

-- The random ids of redacted entries. One that ended is kept: an address that
-- was published must not come to mean another repository.
CREATE TABLE opaque (
    id TEXT NOT NULL PRIMARY KEY,
    repository BIGINT NOT NULL,
    visibility TEXT NOT NULL,
    drawn_at BIGINT NOT NULL,
    listed BIGINT NOT NULL,
    ended_at BIGINT
);
CREATE UNIQUE INDEX opaque_repository ON opaque (repository) WHERE ended_at IS NULL;

-- The last good publication of each file, and why a later one was refused.
CREATE TABLE publication (
    agency TEXT NOT NULL,
    file TEXT NOT NULL,
    body TEXT,
    sha256 TEXT,
    -- Digest of all that is a reason to propose it again.
    substance TEXT,
    -- JSON: what had an entry.
    listed TEXT,
    policy_digest TEXT,
    -- The substance that was proposed last, or that stood already.
    proposed TEXT,
    published_at BIGINT,
    -- JSON: the account, for people inside.
    account TEXT,
    accounted_at BIGINT,
    refused TEXT,
    refused_at BIGINT,
    PRIMARY KEY (agency, file)
);
