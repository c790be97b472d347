//! Statements about the queue.

/// True of a row whose earlier enqueues are all spoken for: it is dead, or the
/// running lease took the latest generation. A new enqueue then sets its own
/// time and priority instead of merging them.
macro_rules! settled {
    () => {
        "(work.dead_at IS NOT NULL OR work.generation = work.leased_generation)"
    };
}

/// True of a waiting row `w` that a worker may take as far as the row itself,
/// its subject and its installation go; the time is left to the statement.
macro_rules! takeable {
    () => {
        "w.owner IS NULL AND w.dead_at IS NULL AND NOT EXISTS \
         (SELECT 1 FROM work AS running WHERE running.subject = w.subject AND running.owner IS NOT NULL)"
    };
}

/// True of a leased row whose failed attempt was the last of five. An enqueue
/// that came meanwhile counts as a new cause.
macro_rules! spent {
    () => {
        "attempts >= 5 AND generation = leased_generation"
    };
}

/// True of a leased row that is given up now that its worker stopped: it was
/// the last attempt, or the fifth worker in a row that stopped in it, whoever
/// asked for it meanwhile.
macro_rules! deadly {
    () => {
        concat!("(crashes >= 4 OR (", spent!(), "))")
    };
}

/// The rank of a leased row whose run answers nobody: that of the best wish, be
/// it older than the run or newer.
macro_rules! unanswered {
    () => {
        "priority = CASE WHEN leased_priority < priority THEN leased_priority ELSE priority END"
    };
}

/// What ends an attempt that did not succeed, at `$1`, to be tried again at
/// `$2` unless it is `$given_up`. The attempts start again with a new cause. A
/// periodic job is never buried: it waits for its next period.
macro_rules! attempt_over {
    ($given_up:expr) => {
        concat!(
            "owner = NULL, lease_until = NULL, leased_generation = 0, ", unanswered!(), ", \
             dead_at = CASE WHEN ", $given_up, " AND every IS NULL THEN CAST($1 AS BIGINT) ELSE NULL END, \
             run_at = CASE WHEN ", $given_up, " AND every IS NOT NULL \
                 THEN CAST($1 AS BIGINT) + every ELSE CAST($2 AS BIGINT) END, \
             attempts = CASE WHEN generation <> leased_generation OR (attempts >= 5 AND every IS NOT NULL) \
                 THEN 0 ELSE attempts END"
        )
    };
}

/// Takes rows back from workers that stopped.
macro_rules! taken_back {
    () => {
        concat!(
            "UPDATE work SET error = 'the worker stopped before it finished', crashes = crashes + 1, ",
            attempt_over!(deadly!()),
            " WHERE "
        )
    };
}

/// Rows whose lease has ended at `$1`.
macro_rules! ended {
    () => {
        "owner IS NOT NULL AND lease_until <= CAST($1 AS BIGINT)"
    };
}

/// True of a row `w` in which no worker has stopped since it was last done.
macro_rules! sound {
    () => {
        "w.crashes = 0"
    };
}

/// True of a row `w` in which a worker has.
macro_rules! troubled {
    () => {
        "w.crashes > 0"
    };
}

/// Whose turn it is: the best priority that has something to do, then the
/// installation least recently served at it. With the version of the schema, as
/// whoever is older than that may not take it. Written so that each turn costs
/// one look into the index, however many jobs wait.
macro_rules! whose_turn {
    ($which:expr) => {
        concat!(
            "SELECT t.installation, t.priority, \
                (SELECT COALESCE(MAX(version), 0) FROM schema_version) AS version \
            FROM turn AS t \
            WHERE NOT EXISTS (SELECT 1 FROM parked AS p WHERE p.installation = t.installation) \
              AND NOT EXISTS (SELECT 1 FROM pace AS g \
                WHERE g.installation = t.installation AND g.paused_until > $1) \
              AND (SELECT 1 FROM work AS w \
                WHERE w.installation = t.installation AND w.priority = t.priority AND w.run_at <= $1 AND ",
            takeable!(),
            " AND ",
            $which,
            " LIMIT 1) = 1 ORDER BY t.priority, t.served, t.installation LIMIT 1"
        )
    };
}

macro_rules! candidate {
    ($which:expr) => {
        concat!(
            "SELECT w.kind, w.subject FROM work AS w \
             WHERE w.installation = $1 AND w.priority = $2 AND w.run_at <= $3 AND ",
            takeable!(),
            " AND ",
            $which,
            " ORDER BY w.run_at, w.subject, w.kind LIMIT 1"
        )
    };
}

macro_rules! new_job {
    ($kind:tt, $subject:tt, $installation:tt, $priority:tt, $run_at:tt, $cause:tt, $enqueued_at:tt) => {
        concat!(
            "($",
            $kind,
            ", $",
            $subject,
            ", $",
            $installation,
            ", $",
            $priority,
            ", $",
            $run_at,
            ", $",
            $cause,
            ", $",
            $enqueued_at,
            ", 1, 0, 0, 0)"
        )
    };
}

macro_rules! enqueue {
    ($($rows:tt)*) => {
        concat!(
            "INSERT INTO work (kind, subject, installation, priority, run_at, cause, enqueued_at, \
                generation, leased_generation, fence, attempts) \
            VALUES ", $($rows)*, " \
            ON CONFLICT (kind, subject) DO UPDATE SET \
                installation = excluded.installation, \
                cause = excluded.cause, \
                generation = work.generation + 1, \
                priority = CASE WHEN ", settled!(), " OR excluded.priority < work.priority \
                    THEN excluded.priority ELSE work.priority END, \
                run_at = CASE WHEN ", settled!(), " OR excluded.run_at < work.run_at \
                    THEN excluded.run_at ELSE work.run_at END, \
                enqueued_at = CASE WHEN ", settled!(), " THEN excluded.enqueued_at ELSE work.enqueued_at END, \
                attempts = CASE WHEN work.dead_at IS NOT NULL THEN 0 ELSE work.attempts END, \
                error = CASE WHEN work.dead_at IS NOT NULL THEN NULL ELSE work.error END, \
                dead_at = NULL"
        )
    };
}

statements! {
    ENQUEUE = enqueue!(new_job!(1, 2, 3, 4, 5, 6, 7));
    /// Of different keys, as PostgreSQL changes no row twice in a statement.
    ENQUEUE_4 = enqueue!(four_rows!(new_job));
    ENQUEUE_16 = enqueue!(sixteen_rows!(new_job));
    /// Arming again changes the period, and brings the next run within it.
    ARM = "INSERT INTO work (kind, subject, installation, priority, run_at, cause, enqueued_at, every, \
            generation, leased_generation, fence, attempts) \
        VALUES ($1, $2, $3, $4, $5, 'periodic', $5, $6, 1, 0, 0, 0) \
        ON CONFLICT (kind, subject) DO UPDATE SET every = excluded.every, \
            run_at = CASE WHEN work.run_at > excluded.run_at + excluded.every \
                THEN excluded.run_at + excluded.every ELSE work.run_at END";
    /// The four priorities, so that a job may change its own without asking.
    KNOW_TURNS = "INSERT INTO turn (installation, priority, served) \
        VALUES ($1, 0, 0), ($1, 1, 0), ($1, 2, 0), ($1, 3, 0) \
        ON CONFLICT (installation, priority) DO NOTHING";
    WHOSE_TURN_OF_SOUND = whose_turn!(sound!());
    WHOSE_TURN_OF_TROUBLED = whose_turn!(troubled!());
    CANDIDATE_SOUND = candidate!(sound!());
    CANDIDATE_TROUBLED = candidate!(troubled!());
    CANDIDATE_SOUND_SKIPPING_LOCKED = concat!(candidate!(sound!()), " FOR UPDATE OF w SKIP LOCKED");
    CANDIDATE_TROUBLED_SKIPPING_LOCKED = concat!(candidate!(troubled!()), " FOR UPDATE OF w SKIP LOCKED");
    SERVED = "UPDATE turn SET served = $3 WHERE installation = $1 AND priority = $2";
    TAKE = "UPDATE work SET owner = $3, lease_until = $4, fence = $5, \
            leased_generation = generation, leased_priority = priority, attempts = attempts + 1 \
        WHERE kind = $1 AND subject = $2 \
        RETURNING installation, priority, cause, generation, attempts, crashes, enqueued_at";
    EXPIRED = "SELECT COUNT(*) AS expired, (SELECT COALESCE(MAX(version), 0) FROM schema_version) AS version \
        FROM work WHERE owner IS NOT NULL AND lease_until <= $1";
    /// Takes back the leases of workers that stopped.
    REAP = concat!(taken_back!(), ended!());
    /// Rows that are being written are left for the next time: waiting for
    /// several at once could go round in a circle.
    REAP_SKIPPING_LOCKED = concat!(
        taken_back!(),
        ended!(),
        " AND (kind, subject) IN (SELECT kind, subject FROM work WHERE ",
        ended!(),
        " FOR UPDATE SKIP LOCKED)"
    );
    REAP_OWNER = concat!(taken_back!(), "owner = $3");
    HELD_BY_ANYBODY = "SELECT COUNT(*) AS held FROM work WHERE subject = $1 AND owner IS NOT NULL";
    /// A row whose kind this program does not know.
    BURY = "UPDATE work SET dead_at = $3, error = $4 WHERE kind = $1 AND subject = $2";
    RENEW = "UPDATE work SET lease_until = $5 \
        WHERE kind = $1 AND subject = $2 AND owner = $3 AND fence = $4";
    FINISH = "DELETE FROM work WHERE kind = $1 AND subject = $2 AND owner = $3 AND fence = $4 \
        AND generation = leased_generation AND every IS NULL";
    /// The rest of finishing: it runs again for a newer enqueue, or by its
    /// period, and then at its own rank, `$6`, whoever asked for it last.
    FINISH_AND_KEEP = "UPDATE work SET owner = NULL, lease_until = NULL, leased_generation = 0, \
            attempts = 0, crashes = 0, error = NULL, \
            priority = CASE WHEN generation = leased_generation AND every IS NOT NULL \
                THEN CAST($6 AS BIGINT) ELSE priority END, \
            cause = CASE WHEN generation = leased_generation AND every IS NOT NULL \
                THEN 'periodic' ELSE cause END, \
            run_at = CASE WHEN generation = leased_generation AND every IS NOT NULL \
                THEN CAST($5 AS BIGINT) + every ELSE run_at END \
        WHERE kind = $1 AND subject = $2 AND owner = $3 AND fence = $4 \
        RETURNING generation";
    /// Finished, and wanted again at `$5`, then at the rank `$6`, though nothing
    /// may happen until then; of a newer enqueue the earlier and better counts.
    FINISH_UNTIL = "UPDATE work SET owner = NULL, lease_until = NULL, leased_generation = 0, \
            attempts = 0, crashes = 0, error = NULL, \
            priority = CASE WHEN generation <> leased_generation AND priority < CAST($6 AS BIGINT) \
                THEN priority ELSE CAST($6 AS BIGINT) END, \
            run_at = CASE WHEN generation <> leased_generation AND run_at < CAST($5 AS BIGINT) \
                THEN run_at ELSE CAST($5 AS BIGINT) END \
        WHERE kind = $1 AND subject = $2 AND owner = $3 AND fence = $4";
    FAIL = concat!(
        "UPDATE work SET error = $3, ",
        attempt_over!(spent!()),
        " WHERE kind = $4 AND subject = $5 AND owner = $6 AND fence = $7 RETURNING dead_at"
    );
    /// Gives a job back without counting the attempt.
    RELEASE = concat!(
        "UPDATE work SET owner = NULL, lease_until = NULL, leased_generation = 0, ", unanswered!(), ", \
            attempts = attempts - 1, run_at = $5 \
        WHERE kind = $1 AND subject = $2 AND owner = $3 AND fence = $4"
    );
    /// The next moment at which something could be leased: a waiting job's
    /// time, or the end of a lease.
    NEXT_RUN_AT = concat!(
        "SELECT MIN(moment) AS moment FROM ( \
            SELECT MIN(CASE WHEN g.paused_until > w.run_at THEN g.paused_until ELSE w.run_at END) AS moment \
            FROM work AS w LEFT JOIN pace AS g ON g.installation = w.installation WHERE ", takeable!(), " \
              AND NOT EXISTS (SELECT 1 FROM parked AS p WHERE p.installation = w.installation) \
            UNION ALL \
            SELECT MIN(lease_until) AS moment FROM work WHERE owner IS NOT NULL) AS moments"
    );
    PARK = "INSERT INTO parked (installation, reason, parked_at) VALUES ($1, $2, $3) \
        ON CONFLICT (installation) DO UPDATE SET reason = excluded.reason";
    UNPARK = "DELETE FROM parked WHERE installation = $1";
    DROP_JOBS = "DELETE FROM work WHERE installation = $1";
    /// `$3`: 1 lists dead letters only, 0 lists all.
    JOBS = "SELECT w.kind, w.subject, w.installation, w.priority, w.run_at, w.cause, w.enqueued_at, \
            w.every, w.owner, w.lease_until, w.attempts, w.error, w.dead_at, p.reason AS parked, \
            g.paused_until \
        FROM work AS w LEFT JOIN parked AS p ON p.installation = w.installation \
            LEFT JOIN pace AS g ON g.installation = w.installation \
        WHERE (CAST($1 AS BIGINT) IS NULL OR w.installation = $1) \
          AND (CAST($2 AS BIGINT) IS NULL OR w.subject = $2) \
          AND (CAST($3 AS BIGINT) = 0 OR w.dead_at IS NOT NULL) \
        ORDER BY w.priority, w.run_at, w.subject, w.kind LIMIT $4";
    RETRY_DEAD = "UPDATE work SET dead_at = NULL, attempts = 0, crashes = 0, error = NULL, run_at = $3 \
        WHERE kind = $1 AND subject = $2 AND dead_at IS NOT NULL";
    PRUNE_DEAD = "DELETE FROM work WHERE dead_at < $1";
    /// Every job by what it is doing at `$1`.
    QUEUE_STANDING = "SELECT \
            COUNT(CASE WHEN doing = 'ready' THEN 1 END) AS ready, \
            COUNT(CASE WHEN doing = 'waiting' THEN 1 END) AS waiting, \
            COUNT(CASE WHEN doing = 'running' THEN 1 END) AS running, \
            COUNT(CASE WHEN doing = 'parked' THEN 1 END) AS parked, \
            COUNT(CASE WHEN doing = 'dead' THEN 1 END) AS dead, \
            MIN(CASE WHEN doing = 'ready' THEN run_at END) AS oldest_ready \
        FROM (SELECT w.run_at, CASE WHEN w.dead_at IS NOT NULL THEN 'dead' \
                WHEN w.owner IS NOT NULL THEN 'running' \
                WHEN p.installation IS NOT NULL THEN 'parked' \
                WHEN w.run_at > CAST($1 AS BIGINT) THEN 'waiting' ELSE 'ready' END AS doing \
            FROM work AS w LEFT JOIN parked AS p ON p.installation = w.installation) AS jobs";
    COUNT_JOBS = "SELECT COUNT(*) AS jobs FROM work WHERE dead_at IS NULL AND every IS NULL";
}
