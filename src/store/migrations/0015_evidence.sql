-- Repositories that were private or internal and are public now: since when
-- Muster knows, and what they were before. NULL again once they are not public.
ALTER TABLE repository ADD COLUMN publicized_at BIGINT;
ALTER TABLE repository ADD COLUMN publicized_from TEXT;
-- 0 until the audit has it, then 1.
ALTER TABLE repository ADD COLUMN publicized_noted BIGINT;
CREATE INDEX repository_publicized ON repository (id) WHERE publicized_noted = 0;
