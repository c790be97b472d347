-- What a sweep compares, where it stands, and how much may follow from it.

-- What the last judgement rested on; all NULL where something was left open,
-- so that the next sweep looks again.
ALTER TABLE repository ADD COLUMN common_digest TEXT;
ALTER TABLE repository ADD COLUMN ours_digest TEXT;
ALTER TABLE repository ADD COLUMN pushed_at BIGINT;
-- When a sweep found that it must be looked at.
ALTER TABLE repository ADD COLUMN marked_at BIGINT;
-- Skipped by this rule.
ALTER TABLE repository ADD COLUMN skipped TEXT;
-- It could not be read: why, and since when.
ALTER TABLE repository ADD COLUMN unknown TEXT;
ALTER TABLE repository ADD COLUMN unknown_since BIGINT;
-- Whether an event or a policy, not only sweeps, showed these findings.
ALTER TABLE repository ADD COLUMN findings_confirmed BIGINT NOT NULL DEFAULT 0;
-- Issues and pull requests still to come.
ALTER TABLE repository ADD COLUMN wants BIGINT NOT NULL DEFAULT 0;

CREATE TABLE sweep (
    installation BIGINT NOT NULL PRIMARY KEY,
    began_at BIGINT NOT NULL,
    -- What all repositories shared when it began.
    common TEXT NOT NULL,
    -- The next page of the list; NULL before the first and after the last.
    next TEXT,
    listed BIGINT NOT NULL,
    -- How many there are by every page so far; -1 if the pages disagree.
    total BIGINT,
    listed_at BIGINT,
    ended_at BIGINT
);

CREATE TABLE rollout (
    account BIGINT NOT NULL,
    common TEXT NOT NULL,
    began_at BIGINT NOT NULL,
    wanted BIGINT,
    approved_at BIGINT,
    PRIMARY KEY (account, common)
);
