//! Statements about how fast an installation may be called.

statements! {
    /// Holds the row, and with it the installation's turn to write, to the end
    /// of the transaction.
    HOLD_PACE = "INSERT INTO pace (installation) VALUES ($1) \
        ON CONFLICT (installation) DO UPDATE SET installation = excluded.installation \
        RETURNING paused_until, halved_until";
    WRITTEN_SINCE = "SELECT written_at, pieces, hourly FROM content_write \
        WHERE installation = $1 AND written_at > $2 ORDER BY written_at";
    FORGET_WRITTEN = "DELETE FROM content_write WHERE installation = $1 AND written_at <= $2";
    COUNT_WRITE = "INSERT INTO content_write (installation, written_at, pieces, hourly) \
        VALUES ($1, $2, $3, $4)";
    /// The later moment stays: two replicas may have been told different ones.
    LIMITED = "INSERT INTO pace (installation, paused_until, halved_until) VALUES ($1, $2, $3) \
        ON CONFLICT (installation) DO UPDATE SET \
            paused_until = CASE WHEN pace.paused_until > excluded.paused_until \
                THEN pace.paused_until ELSE excluded.paused_until END, \
            halved_until = CASE WHEN pace.halved_until > excluded.halved_until \
                THEN pace.halved_until ELSE excluded.halved_until END";
}
