-- What replicas have to know of each other.

-- How often in a row a worker stopped in the middle of this job.
ALTER TABLE work ADD COLUMN crashes BIGINT NOT NULL DEFAULT 0;
-- The rank of the wishes that the run under way is to answer.
ALTER TABLE work ADD COLUMN leased_priority BIGINT;
-- In the order in which they are taken, also when all of a sweep wait for the
-- same moment.
DROP INDEX work_runnable;
CREATE INDEX work_next ON work (installation, priority, run_at, subject, kind)
    WHERE owner IS NULL AND dead_at IS NULL;
CREATE INDEX work_troubled ON work (installation, priority, run_at, subject, kind)
    WHERE owner IS NULL AND dead_at IS NULL AND crashes > 0;
CREATE INDEX work_leased ON work (lease_until)
    WHERE owner IS NOT NULL;

-- What GitHub's limits ask of an installation. Whoever writes on it holds the
-- row until its turn is counted, so writers of one installation pass one at a
-- time.
CREATE TABLE pace (
    installation BIGINT NOT NULL PRIMARY KEY,
    -- No job of it begins before then.
    paused_until BIGINT,
    -- Writes at half its pace until then.
    halved_until BIGINT
);

-- The content that was written in the last hour.
CREATE TABLE content_write (
    installation BIGINT NOT NULL,
    written_at BIGINT NOT NULL,
    pieces BIGINT NOT NULL
);
CREATE INDEX content_write_by_time ON content_write (installation, written_at);
