//! Statements about clones, views and forks.

statements! {
    TRAFFIC_POLLS = "SELECT p.repository, p.tried_on, p.polled_on \
        FROM traffic_poll AS p JOIN repository AS r ON r.id = p.repository \
        WHERE r.installation = $1 AND r.removed_at IS NULL";
    LAST_TRAFFIC_POLL = "SELECT MAX(p.polled_on) AS polled_on \
        FROM traffic_poll AS p JOIN repository AS r ON r.id = p.repository \
        WHERE r.installation = $1 AND r.removed_at IS NULL";
    TRAFFIC_ON = "SELECT clones, cloners, views, visitors FROM traffic WHERE day = $1 AND repository = $2";
    /// What is counted later of the same day is what counts.
    PUT_TRAFFIC = "INSERT INTO traffic (day, repository, clones, cloners, views, visitors) \
        VALUES ($1, $2, $3, $4, $5, $6) \
        ON CONFLICT (day, repository) DO UPDATE SET clones = excluded.clones, cloners = excluded.cloners, \
            views = excluded.views, visitors = excluded.visitors";
    LAST_SPAN = "SELECT first_day, last_day FROM traffic_span WHERE repository = $1 \
        ORDER BY first_day DESC LIMIT 1";
    PUT_SPAN = "INSERT INTO traffic_span (repository, first_day, last_day) VALUES ($1, $2, $3) \
        ON CONFLICT (repository, first_day) DO UPDATE SET last_day = excluded.last_day";
    TRAFFIC_POLLED = "INSERT INTO traffic_poll (repository, tried_on, polled_on, clones) VALUES ($1, $2, $2, $3) \
        ON CONFLICT (repository) DO UPDATE SET tried_on = excluded.tried_on, polled_on = excluded.polled_on, \
            clones = traffic_poll.clones + excluded.clones";
    TRAFFIC_TRIED = "INSERT INTO traffic_poll (repository, tried_on, clones) VALUES ($1, $2, 0) \
        ON CONFLICT (repository) DO UPDATE SET tried_on = excluded.tried_on";
    TRAFFIC_BETWEEN = "SELECT repository, CAST(SUM(clones) AS BIGINT) AS clones, CAST(SUM(views) AS BIGINT) AS views \
        FROM traffic WHERE day BETWEEN $1 AND $2 GROUP BY repository";
    SPANS_BETWEEN = "SELECT repository, first_day, last_day FROM traffic_span \
        WHERE last_day >= $1 AND first_day <= $2 ORDER BY repository, first_day";
    /// The newest number of each repository that is not gone.
    FORKS = "SELECT f.repository, f.forks FROM forks AS f JOIN repository AS r ON r.id = f.repository \
        WHERE r.installation = $1 AND r.removed_at IS NULL AND NOT EXISTS \
            (SELECT 1 FROM forks AS later WHERE later.repository = f.repository AND later.seen_at > f.seen_at)";
    PUT_FORKS = "INSERT INTO forks (repository, seen_at, forks) VALUES ($1, $2, $3) \
        ON CONFLICT (repository, seen_at) DO UPDATE SET forks = excluded.forks";
    PRUNE_TRAFFIC = "DELETE FROM traffic WHERE day < $1";
    PRUNE_SPANS = "DELETE FROM traffic_span WHERE last_day < $1";
    PRUNE_POLLS = "DELETE FROM traffic_poll WHERE tried_on < $1";
    /// One number from before stays: that from which the series begins.
    PRUNE_FORKS = "DELETE FROM forks WHERE seen_at < $1 AND EXISTS \
        (SELECT 1 FROM forks AS later WHERE later.repository = forks.repository \
            AND later.seen_at > forks.seen_at AND later.seen_at < $1)";
}
