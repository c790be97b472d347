-- The digest issue of each control repository.
CREATE TABLE digest (
    repository BIGINT NOT NULL PRIMARY KEY,
    -- Names the text that it is to have.
    wanted TEXT NOT NULL,
    -- Names the text that it has.
    said TEXT,
    -- When something first needed the office, of what needs it now.
    since BIGINT
);
