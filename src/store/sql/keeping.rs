//! Statements about the repository in which an inventory is kept.

statements! {
    KEEPING = "SELECT repository, begun_at, pull, commits, hindrance, hindered_at, again_at \
        FROM keeping WHERE agency = $1";
    KEEPING_AGENCIES = "SELECT agency FROM keeping ORDER BY agency";
    /// Of another repository nothing is known yet.
    KEEP_IN = "INSERT INTO keeping (agency, repository) VALUES ($1, $2) \
        ON CONFLICT (agency) DO UPDATE SET repository = excluded.repository, begun_at = NULL, pull = NULL, \
            commits = NULL, hindrance = NULL, hindered_at = NULL, again_at = NULL";
    REMOVE_KEEPING = "DELETE FROM keeping WHERE agency = $1";
    REMOVE_KEPT = "DELETE FROM kept WHERE agency = $1";
    KEEPING_BEGUN = "UPDATE keeping SET begun_at = $2 WHERE agency = $1";
    KEEPING_OPENED = "UPDATE keeping SET begun_at = NULL, pull = $2, commits = $3 WHERE agency = $1";
    KEEPING_COMMITS = "UPDATE keeping SET commits = $2 WHERE agency = $1";
    KEEPING_HINDERED = "UPDATE keeping SET hindrance = $2, again_at = $4, hindered_at = CASE \
            WHEN CAST($2 AS TEXT) IS NULL THEN NULL \
            WHEN hindrance = $2 THEN hindered_at ELSE CAST($3 AS BIGINT) END \
        WHERE agency = $1";
    KEPT = "SELECT file, said, stood, stands, since, seen_at FROM kept WHERE agency = $1 ORDER BY file";
    KEPT_SAID = "INSERT INTO kept (agency, file, said) VALUES ($1, $2, $3) \
        ON CONFLICT (agency, file) DO UPDATE SET said = excluded.said";
    KEPT_STANDS = "INSERT INTO kept (agency, file, stood, stands, since, seen_at) VALUES ($1, $2, $3, $4, $5, $5) \
        ON CONFLICT (agency, file) DO UPDATE SET stood = excluded.stood, stands = excluded.stands, \
            since = CASE WHEN kept.stands = excluded.stands THEN kept.since ELSE excluded.since END, \
            seen_at = excluded.seen_at";
}
