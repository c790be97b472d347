//! Statements about labor hours.

statements! {
    /// Public repositories with a commit that was not looked at, whose time has
    /// come: those that waited longest first.
    TO_COUNT = "SELECT r.id, r.node_id, r.head FROM repository AS r \
            LEFT JOIN labor AS l ON l.repository = r.id \
        WHERE r.installation = $1 AND r.removed_at IS NULL AND r.visibility = 'public' AND r.head IS NOT NULL \
            AND (l.repository IS NULL OR (l.head <> r.head AND l.due_at <= $2)) \
        ORDER BY COALESCE(l.due_at, 0), r.id LIMIT $3";
    COUNTED_HOURS = "SELECT hours FROM labor WHERE repository = $1";
    PUT_COUNTED = "INSERT INTO labor \
            (repository, head, due_at, counted_head, counted_at, code, hours, method) \
        VALUES ($1, $2, $3, $2, $4, $5, $6, $7) \
        ON CONFLICT (repository) DO UPDATE SET head = excluded.head, due_at = excluded.due_at, \
            counted_head = excluded.counted_head, counted_at = excluded.counted_at, code = excluded.code, \
            hours = excluded.hours, method = excluded.method, problem = NULL";
    PUT_UNCOUNTED = "INSERT INTO labor (repository, head, due_at, problem) VALUES ($1, $2, $3, $4) \
        ON CONFLICT (repository) DO UPDATE SET head = excluded.head, due_at = excluded.due_at, \
            problem = excluded.problem";
}
