-- What stands in each published file, and what stood in it before. A file is
-- the text of its head, and its entries in the order of their places, byte by
-- byte.
CREATE TABLE listing (
    agency TEXT NOT NULL,
    file TEXT NOT NULL,
    -- A repository's id, `import` and a key, or `head`.
    subject TEXT NOT NULL,
    place TEXT NOT NULL,
    text TEXT NOT NULL,
    -- SHA-256 of the text, in hex.
    digest TEXT NOT NULL,
    published_at BIGINT NOT NULL,
    withdrawn_at BIGINT
);
CREATE UNIQUE INDEX listing_now ON listing (agency, file, subject) WHERE withdrawn_at IS NULL;
CREATE INDEX listing_then ON listing (withdrawn_at) WHERE withdrawn_at IS NOT NULL;

-- Rises with each reading that is stored.
ALTER TABLE entry ADD COLUMN revision BIGINT NOT NULL DEFAULT 0;

-- No release of Muster has these: what was published is published again.
ALTER TABLE publication DROP COLUMN body;
ALTER TABLE publication DROP COLUMN listed;
UPDATE publication SET sha256 = NULL, substance = NULL, published_at = NULL;
