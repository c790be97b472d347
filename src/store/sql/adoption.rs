//! Statements about adoption.

macro_rules! adoption_columns {
    () => {
        "account, begun_at, ended_at, ending, found, listed_at, restored"
    };
}

statements! {
    ADOPTION = concat!("SELECT ", adoption_columns!(), " FROM adoption WHERE account = $1");
    OPEN_ADOPTIONS = concat!(
        "SELECT ", adoption_columns!(), " FROM adoption WHERE ended_at IS NULL ORDER BY account"
    );
    BEGIN_ADOPTION = "INSERT INTO adoption (account, begun_at, found, restored) VALUES ($1, $2, 0, 0) \
        ON CONFLICT (account) DO NOTHING";
    ALL_LISTED = "UPDATE adoption SET listed_at = $2 WHERE account = $1 AND ended_at IS NULL";
    OURS_FOUND = "UPDATE adoption SET found = 1 WHERE account = $1 AND ended_at IS NULL";
    END_ADOPTION = "UPDATE adoption SET ended_at = $2, ending = $3 WHERE account = $1 AND ended_at IS NULL";
    /// At most `$3` repositories of an account that were listed since `$2` and
    /// never judged. What failed for good is not waited for, nor what could not
    /// be read since `$4`, unless nothing of the installation could.
    UNREAD = "SELECT COUNT(*) AS unread FROM ( \
            SELECT r.id FROM repository AS r \
            WHERE r.installation IN \
                    (SELECT i.id FROM installation AS i WHERE i.account = $1 AND i.removed_at IS NULL) \
              AND r.removed_at IS NULL AND r.judged_at IS NULL AND r.seen_at >= $2 \
              AND (r.unknown_since IS NULL OR r.unknown_since > $4 \
                OR NOT EXISTS (SELECT 1 FROM repository AS other \
                    WHERE other.installation = r.installation AND other.judged_at IS NOT NULL)) \
              AND NOT EXISTS (SELECT 1 FROM work AS w WHERE w.kind = 'inspect_repository' \
                AND w.subject = r.id AND w.dead_at IS NOT NULL) \
            LIMIT $3) AS listed";
    /// Repositories that are not due until `$3` or later are to be looked at.
    MARK_HELD = "UPDATE repository SET marked_at = $2 \
        WHERE removed_at IS NULL AND due >= $3 \
          AND installation IN (SELECT i.id FROM installation AS i WHERE i.account = $1)";
    /// Inspections that wait until `$3` or longer, looks at many repositories,
    /// and those of both that run, are wanted at `$2`.
    WAKE = "UPDATE work SET run_at = $2, generation = generation + 1 \
        WHERE dead_at IS NULL \
          AND ((kind = 'inspect_repository' AND (owner IS NOT NULL OR run_at >= $3)) \
            OR (kind = 'inspect_installation' AND (owner IS NOT NULL OR run_at > $2))) \
          AND installation IN (SELECT i.id FROM installation AS i WHERE i.account = $1)";
    OURS_OF_ACCOUNT = "SELECT o.kind, o.state, o.number, o.findings, o.repository, r.owner, r.name \
        FROM outstanding AS o LEFT JOIN repository AS r ON r.id = o.repository \
        WHERE o.account = $1 ORDER BY r.owner, r.name, o.kind, o.number";
}
