//! Statements about the ledger: decisions of people and the audit. They only
//! ever add and read; triggers refuse the rest.

statements! {
    ADD_DECISION = "INSERT INTO decision (id, repository, rule, findings, status, actor, login, role, via, \
            reason, decided_at, until, approver, evidence_url) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)";
    DECISIONS = "SELECT id, repository, rule, findings, status, actor, login, role, via, \
            reason, decided_at, until, approver, evidence_url \
        FROM decision WHERE repository = $1 ORDER BY id";
    ADD_AUDIT = "INSERT INTO audit (id, noted_at, installation, repository, actor, what, detail) \
        VALUES ($1, $2, $3, $4, $5, $6, $7)";
    /// Newest first.
    AUDIT = "SELECT id, noted_at, installation, repository, actor, what, detail FROM audit \
        WHERE (CAST($1 AS BIGINT) IS NULL OR repository = $1) ORDER BY id DESC LIMIT $2";
}
