//! Statements about imports, and about what became of published files outside.

statements! {
    IMPORT = "SELECT asked, asked_at, problem, source, version, etag, read_at FROM import WHERE account = $1";
    IMPORTS = "SELECT account, asked, asked_at, problem, source, version, etag, read_at FROM import ORDER BY account";
    PUT_IMPORT = "INSERT INTO import (account, asked, asked_at, problem, source, version, etag, read_at) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8) \
        ON CONFLICT (account) DO UPDATE SET asked = excluded.asked, asked_at = excluded.asked_at, \
            problem = excluded.problem, source = excluded.source, version = excluded.version, \
            etag = excluded.etag, read_at = excluded.read_at";
    REMOVE_IMPORT = "DELETE FROM import WHERE account = $1";
    IMPORTED = "SELECT position, entry FROM imported WHERE account = $1 ORDER BY position";
    PUT_IMPORTED = "INSERT INTO imported (account, position, entry) VALUES ($1, $2, $3) \
        ON CONFLICT (account, position) DO UPDATE SET entry = excluded.entry";
    CUT_IMPORTED = "DELETE FROM imported WHERE account = $1 AND position >= $2";
    VERIFICATIONS = "SELECT agency, file, url, checked_at, expected, differs, verified_at, sha256, identifiers, harvest \
        FROM verification WHERE agency = $1 ORDER BY file";
    VERIFIED_AGENCIES = "SELECT DISTINCT agency FROM verification ORDER BY agency";
    PUT_VERIFICATION = "INSERT INTO verification \
            (agency, file, url, checked_at, expected, differs, verified_at, sha256, identifiers, harvest) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) \
        ON CONFLICT (agency, file) DO UPDATE SET url = excluded.url, checked_at = excluded.checked_at, \
            expected = excluded.expected, differs = excluded.differs, verified_at = excluded.verified_at, \
            sha256 = excluded.sha256, identifiers = excluded.identifiers, harvest = excluded.harvest";
    REMOVE_VERIFICATIONS = "DELETE FROM verification WHERE agency = $1";
}
