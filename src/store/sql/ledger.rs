//! Statements about the ledger: decisions of people, the audit, and the chain
//! over both. They only ever add and read; triggers refuse the rest.

/// The columns of a decision `e`.
macro_rules! decision_columns {
    () => {
        "e.actor, e.approver, e.decided_at, e.evidence_url, e.findings, e.id, e.login, e.reason, \
         e.repository, e.role, e.rule, e.status, e.until, e.via"
    };
}

/// The columns of an entry `e` of the audit.
macro_rules! audit_columns {
    () => {
        "e.actor, e.detail, e.id, e.installation, e.noted_at, e.repository, e.what"
    };
}

/// Entries before link `$1`, newest first: since `$2`, of the repositories
/// named `$3`/`$4`, at most `$5`.
macro_rules! listed {
    ($columns:expr, $table:literal, $at:literal) => {
        concat!(
            "SELECT c.seq, c.hash, r.owner, r.name, ",
            $columns,
            " FROM ",
            $table,
            " AS e JOIN chain AS c ON c.kind = '",
            $table,
            "' AND c.entry = e.id LEFT JOIN repository AS r ON r.id = e.repository \
            WHERE c.seq < $1 AND (CAST($2 AS BIGINT) IS NULL OR e.",
            $at,
            " >= $2) AND (CAST($3 AS TEXT) IS NULL OR (LOWER(r.owner) = LOWER($3) AND LOWER(r.name) = LOWER($4))) \
            ORDER BY c.seq DESC LIMIT $5"
        )
    };
}

/// The entries of the links after `$1` up to `$2`.
macro_rules! of_links {
    ($columns:expr, $table:literal) => {
        concat!(
            "SELECT ",
            $columns,
            " FROM ",
            $table,
            " AS e WHERE e.id IN (SELECT c.entry FROM chain AS c WHERE c.kind = '",
            $table,
            "' AND c.seq > $1 AND c.seq <= $2)"
        )
    };
}

/// The first entry without a link.
macro_rules! unlinked {
    ($table:literal) => {
        concat!(
            "SELECT MIN(e.id) AS id FROM ",
            $table,
            " AS e WHERE NOT EXISTS (SELECT 1 FROM chain AS c WHERE c.kind = '",
            $table,
            "' AND c.entry = e.id)"
        )
    };
}

statements! {
    DECISIONS = concat!(
        "SELECT ", decision_columns!(), " FROM decision AS e WHERE e.repository = $1 ORDER BY e.id"
    );
    /// Newest first.
    AUDIT = concat!(
        "SELECT ", audit_columns!(), " FROM audit AS e \
        WHERE (CAST($1 AS BIGINT) IS NULL OR e.repository = $1) ORDER BY e.id DESC LIMIT $2"
    );
    LISTED_DECISIONS = listed!(decision_columns!(), "decision", "decided_at");
    LISTED_AUDIT = listed!(audit_columns!(), "audit", "noted_at");

    KNOWN_NAME = "SELECT COUNT(*) AS known FROM repository AS r \
        WHERE LOWER(r.owner) = LOWER($1) AND LOWER(r.name) = LOWER($2)";

    /// The newest link up to one.
    LAST_LINK = "SELECT hash FROM chain WHERE seq <= $1 ORDER BY seq DESC LIMIT 1";
    LINKS = "SELECT entry, hash, kind, previous, seq FROM chain WHERE seq > $1 ORDER BY seq LIMIT $2";
    DECISIONS_OF_LINKS = of_links!(decision_columns!(), "decision");
    AUDIT_OF_LINKS = of_links!(audit_columns!(), "audit");
    FIRST_UNLINKED_DECISION = unlinked!("decision");
    FIRST_UNLINKED_AUDIT = unlinked!("audit");
    CHAINED = "SELECT value FROM counter WHERE name = 'chain'";
    /// How many rows a backup would bring back are there already.
    KEPT_ROWS = "SELECT (SELECT COUNT(*) FROM chain) + (SELECT COUNT(*) FROM decision) \
            + (SELECT COUNT(*) FROM audit) + (SELECT COUNT(*) FROM outstanding) \
            + (SELECT COUNT(*) FROM policy) + (SELECT COUNT(*) FROM adoption) \
            + (SELECT COUNT(*) FROM installation) + (SELECT COUNT(*) FROM repository) \
            + (SELECT COUNT(*) FROM served_account) + (SELECT COUNT(*) FROM pause) \
            + (SELECT COUNT(*) FROM opaque) + (SELECT COUNT(*) FROM listing) \
            + (SELECT COUNT(*) FROM own_file) + (SELECT COUNT(*) FROM own_file_answer) \
            + (SELECT COUNT(*) FROM traffic_poll) + (SELECT COUNT(*) FROM forks) \
            + (SELECT COUNT(*) FROM exemption_event) AS kept";
    SET_COUNTER = "UPDATE counter SET value = $2 WHERE name = $1";
}
