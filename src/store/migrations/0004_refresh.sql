-- What refreshing and closing have to remember of an item, and what GitHub
-- refused.

-- Object ids of the commits on its branch, separated by spaces.
ALTER TABLE outstanding ADD COLUMN commits TEXT;
-- Where the staging branch of a refresh points.
ALTER TABLE outstanding ADD COLUMN staged TEXT;
-- What the item becomes if Muster turns out to have closed it.
ALTER TABLE outstanding ADD COLUMN closing TEXT;
-- When it was edited: the last few times, separated by spaces.
ALTER TABLE outstanding ADD COLUMN edits TEXT;
-- Since when somebody else works on it.
ALTER TABLE outstanding ADD COLUMN hands_off_at BIGINT;

CREATE TABLE refusal (
    repository BIGINT NOT NULL,
    attempt TEXT NOT NULL,
    because TEXT NOT NULL,
    why TEXT NOT NULL,
    circumstances TEXT NOT NULL,
    refused_at BIGINT NOT NULL,
    PRIMARY KEY (repository, attempt)
);
