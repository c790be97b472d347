-- What it takes to miss no delivery, and to follow the lives of installations.

-- The permissions that an installation grants, as GitHub's JSON; NULL until
-- they were read.
ALTER TABLE installation ADD COLUMN permissions TEXT;

-- Each name that the operator lists, in lower case, and the account that had
-- it when it was first seen: names change hands, accounts do not.
CREATE TABLE served_account (
    name TEXT NOT NULL PRIMARY KEY,
    account BIGINT NOT NULL,
    bound_at BIGINT NOT NULL
);
CREATE INDEX served_account_by_account ON served_account (account);

-- A permission that an installation lacks (repository 0), and the repositories
-- whose work waits for it; and under which permissions that was so.
CREATE TABLE waiting (
    installation BIGINT NOT NULL,
    needs TEXT NOT NULL,
    repository BIGINT NOT NULL,
    granted TEXT NOT NULL,
    since BIGINT NOT NULL,
    PRIMARY KEY (installation, needs, repository)
);

-- How far GitHub's record of deliveries was read, by which list: time and id of
-- the newest entry. A pass goes from the newest entry down to what an earlier
-- pass has read; `cursor` is where the pass under way goes on.
CREATE TABLE delivery_record (
    list TEXT NOT NULL PRIMARY KEY,
    read_at BIGINT NOT NULL,
    read_id BIGINT NOT NULL,
    pass_at BIGINT,
    pass_id BIGINT,
    cursor TEXT,
    round_at BIGINT NOT NULL
);

-- Deliveries that stand in the record and have not come in.
CREATE TABLE missed_delivery (
    guid TEXT NOT NULL PRIMARY KEY,
    delivery BIGINT NOT NULL,
    installation BIGINT,
    attempts BIGINT NOT NULL,
    next_at BIGINT NOT NULL,
    listed_at BIGINT NOT NULL,
    given_up_at BIGINT
);
CREATE INDEX missed_delivery_due ON missed_delivery (next_at) WHERE given_up_at IS NULL;
