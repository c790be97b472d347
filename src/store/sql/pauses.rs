//! Statements about pauses. Account 0 stands for all.

statements! {
    PAUSE = "INSERT INTO pause (account, paused_by, reason, since) VALUES ($1, $2, $3, $4) \
        ON CONFLICT (account) DO NOTHING";
    RESUME = "DELETE FROM pause WHERE account = $1";
    PAUSES = "SELECT account, paused_by, reason, since FROM pause ORDER BY account";
    /// That of all goes before the account's own.
    PAUSED = "SELECT account, paused_by, reason, since FROM pause \
        WHERE account = 0 OR account = $1 ORDER BY account LIMIT 1";
    HOLD = "INSERT INTO held (repository, account, changes, since) VALUES ($1, $2, $3, $4) \
        ON CONFLICT (repository) DO UPDATE SET account = excluded.account, changes = excluded.changes";
    IS_HELD = "SELECT COUNT(*) AS held FROM held WHERE repository = $1";
    RELEASE_HELD = "DELETE FROM held WHERE repository = $1";
    PRUNE_HELD = "DELETE FROM held WHERE repository IN \
        (SELECT r.id FROM repository AS r WHERE r.removed_at < $1)";
    COUNT_HELD = "SELECT COUNT(*) AS repositories, CAST(COALESCE(SUM(changes), 0) AS BIGINT) AS changes \
        FROM held WHERE CAST($1 AS BIGINT) = 0 OR account = $1";
    HELD = "SELECT r.id, r.installation FROM held AS h JOIN repository AS r ON r.id = h.repository \
        WHERE (CAST($1 AS BIGINT) = 0 OR h.account = $1) AND r.removed_at IS NULL ORDER BY r.id";
}
