//! Statements about sweeps: what they compare, what is to be looked at, and
//! how much may follow.

/// Sums are BIGINT on SQLite and NUMERIC on PostgreSQL, unless told.
macro_rules! count_where {
    ($condition:literal, $name:literal) => {
        concat!("CAST(COALESCE(SUM(CASE WHEN ", $condition, " THEN 1 ELSE 0 END), 0) AS BIGINT) AS ", $name)
    };
}

statements! {
    MEMORIES = "SELECT id, node_id, installation, owner, name, visibility, archived, head, \
            facts_digest, common_digest, ours_digest, pushed_at, arrived_at, unknown_since, unreadable, \
            findings, findings_since, findings_last, findings_evaluations, findings_confirmed \
        FROM repository WHERE installation = $1 AND removed_at IS NULL";
    OUTSTANDING_OF = concat!(
        "SELECT repository, ", outstanding_columns!(), " FROM outstanding WHERE repository IN \
            (SELECT r.id FROM repository AS r WHERE r.installation = $1 AND r.removed_at IS NULL) \
        ORDER BY id DESC"
    );
    DECIDED = "SELECT DISTINCT d.repository FROM decision AS d JOIN repository AS r ON r.id = d.repository \
        WHERE r.installation = $1";

    SWEEP = "SELECT began_at, common, next, listed, total, listed_at, ended_at FROM sweep WHERE installation = $1";
    BEGIN_SWEEP = "INSERT INTO sweep (installation, began_at, common, listed) VALUES ($1, $2, $3, 0) \
        ON CONFLICT (installation) DO UPDATE SET began_at = excluded.began_at, common = excluded.common, \
            next = NULL, listed = 0, total = NULL, listed_at = NULL, ended_at = NULL";
    SWEPT_PAGE = "UPDATE sweep SET next = $2, listed = listed + $3, \
            total = CASE WHEN total IS NULL OR total = $4 THEN CAST($4 AS BIGINT) ELSE -1 END, listed_at = $5 \
        WHERE installation = $1";
    END_SWEEP = "UPDATE sweep SET ended_at = $2 \
        WHERE installation = $1 AND listed_at IS NOT NULL AND ended_at IS NULL";
    MARK = "UPDATE repository SET marked_at = $2 WHERE id = $1";
    TO_LOOK_AT = "SELECT id FROM repository \
        WHERE installation = $1 AND removed_at IS NULL AND (marked_at IS NOT NULL OR due <= $2) \
        ORDER BY id LIMIT $3";
    NEXT_LOOK = "SELECT MIN(CASE WHEN marked_at IS NOT NULL THEN marked_at ELSE due END) AS moment \
        FROM repository WHERE installation = $1 AND removed_at IS NULL";
    /// A repository that could not be read, unless somebody else read it since.
    COULD_NOT_READ = "UPDATE repository SET unknown = $3, unknown_since = COALESCE(unknown_since, $2), \
            marked_at = CASE WHEN marked_at > CAST($2 AS BIGINT) THEN marked_at ELSE NULL END, \
            due = $4, common_digest = NULL, wants = 0 \
        WHERE id = $1 AND (judged_at IS NULL OR judged_at <= $2)";
    /// A repository that a job of its own inspects. Until that has judged it,
    /// the next sweep takes it for changed.
    HANDED_OVER = "UPDATE repository SET wants = $3, due = NULL, common_digest = NULL, \
            marked_at = CASE WHEN marked_at > CAST($2 AS BIGINT) THEN marked_at ELSE NULL END \
        WHERE id = $1";
    /// Whether a repository's own job was given up since it was to be looked at.
    GIVEN_UP_SINCE = "SELECT COUNT(*) AS dead FROM work AS w JOIN repository AS r ON r.id = w.subject \
        WHERE w.kind = 'inspect_repository' AND w.subject = $1 \
          AND w.dead_at >= CASE WHEN r.marked_at IS NOT NULL THEN r.marked_at ELSE r.due END";
    ACCOUNT = concat!(
        "SELECT COUNT(*) AS total, ",
        count_where!("unknown IS NOT NULL", "unknown"), ", ",
        count_where!("unknown IS NULL AND skipped IS NOT NULL", "skipped"), ", ",
        count_where!("unknown IS NULL AND skipped IS NULL AND judged_at IS NOT NULL", "judged"), ", ",
        "CAST(COALESCE(SUM(wants), 0) AS BIGINT) AS wants \
        FROM repository WHERE installation = $1 AND removed_at IS NULL"
    );
    MARK_WANTING = "UPDATE repository SET marked_at = $2 \
        WHERE installation = $1 AND removed_at IS NULL AND wants > 0";

    BEGIN_ROLLOUT = "INSERT INTO rollout (account, common, began_at) VALUES ($1, $2, $3) \
        ON CONFLICT (account, common) DO NOTHING";
    ROLLOUT = "SELECT began_at, wanted, approved_at, \
            (SELECT COUNT(*) FROM outstanding AS o \
             WHERE o.account = rollout.account AND o.kind <> 'digest' \
               AND o.created_at >= rollout.began_at) AS created \
        FROM rollout WHERE account = $1 AND common = $2";
    SIZE_ROLLOUT = "UPDATE rollout SET wanted = $3 WHERE account = $1 AND common = $2 AND wanted IS NULL";
    APPROVE_ROLLOUT = "UPDATE rollout SET approved_at = $3 \
        WHERE account = $1 AND common = $2 AND approved_at IS NULL";
    CREATED_OF_ALL_KINDS_SINCE = "SELECT COUNT(*) AS created FROM outstanding \
        WHERE account = $1 AND created_at >= $2 AND kind <> 'digest'";
}
