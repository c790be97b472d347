//! Statements about a repository's own code.json.

/// What is known of repositories `r`; `$2` is whose they are.
macro_rules! known_files {
    ($which:literal) => {
        concat!(
            "SELECT r.id, e.url, e.former_urls, o.carries, o.merged, a.record FROM repository AS r \
            LEFT JOIN entry AS e ON e.repository = r.id \
            LEFT JOIN own_file AS o ON o.repository = r.id \
            LEFT JOIN answer AS a ON a.repository = r.id AND a.account = $2 WHERE r.",
            $which,
            " = $1"
        )
    };
}

statements! {
    OWN_FILE = known_files!("id");
    OWN_FILES = known_files!("installation");
    OWN_ANSWERS = "SELECT w.repository, w.field, w.value, w.number, w.answered_at FROM own_file_answer AS w \
        WHERE w.repository = $1 ORDER BY w.field";
    OWN_ANSWERS_OF_ALL = "SELECT w.repository, w.field, w.value, w.number, w.answered_at FROM own_file_answer AS w \
        JOIN repository AS r ON r.id = w.repository WHERE r.installation = $1 ORDER BY w.repository, w.field";
    PROPOSE_OWN_FILE = "INSERT INTO own_file (repository, proposed) VALUES ($1, $2) \
        ON CONFLICT (repository) DO UPDATE SET proposed = excluded.proposed";
    OWN_FILE_CARRIES = "UPDATE own_file SET carries = $2 WHERE repository = $1";
    OWN_FILE_MERGED = "UPDATE own_file SET merged = proposed, carries = NULL \
        WHERE repository = $1 AND proposed IS NOT NULL";
    /// The newest of what stands in one place counts.
    SAY_ANSWER = "INSERT INTO own_file_said (repository, field, pull_request, filled, actor, login, said_at) \
        VALUES ($1, $2, $3, $4, $5, $6, $7) \
        ON CONFLICT (repository, field) DO UPDATE SET pull_request = excluded.pull_request, \
            filled = excluded.filled, actor = excluded.actor, login = excluded.login, said_at = excluded.said_at";
    ANSWERS_SAID = "SELECT field, pull_request, filled, actor, login, said_at FROM own_file_said \
        WHERE repository = $1 ORDER BY said_at, field";
    /// Nothing of one that came meanwhile.
    FORGET_SAID = "DELETE FROM own_file_said WHERE repository = $1 AND field = $2 AND said_at = $3 AND filled = $4";
    TAKE_OWN_ANSWER = "INSERT INTO own_file_answer \
            (repository, field, value, number, actor, login, answered_at) VALUES ($1, $2, $3, $4, $5, $6, $7) \
        ON CONFLICT (repository, field) DO UPDATE SET value = excluded.value, number = excluded.number, \
            actor = excluded.actor, login = excluded.login, answered_at = excluded.answered_at";
    PRUNE_SAID = "DELETE FROM own_file_said WHERE said_at < $1";
}
