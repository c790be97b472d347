-- The numbers of items of ours whose marker cannot be read, separated by
-- spaces: each keeps Muster from opening another of its kind.
ALTER TABLE repository ADD COLUMN unreadable TEXT;
