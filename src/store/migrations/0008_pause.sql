-- What an operator has stopped, and what waits for its end.

-- Nothing is written to an account, or to any: account 0 stands for all.
CREATE TABLE pause (
    account BIGINT NOT NULL PRIMARY KEY,
    paused_by TEXT NOT NULL,
    reason TEXT NOT NULL,
    since BIGINT NOT NULL
);

-- Repositories whose plan has changes that a pause holds back.
CREATE TABLE held (
    repository BIGINT NOT NULL PRIMARY KEY,
    account BIGINT NOT NULL,
    changes BIGINT NOT NULL,
    since BIGINT NOT NULL
);
CREATE INDEX held_by_account ON held (account);
