//! Statements about installations, repositories, what we have open and
//! policies.

macro_rules! installation_columns {
    () => {
        "id, account, login, suspended_at, removed_at, seen_at, permissions"
    };
}

macro_rules! repository_columns {
    () => {
        "id, node_id, installation, owner, name, visibility, archived, first_seen_at, seen_at, removed_at, arrived_at, \
         head, policy_digest, facts_digest, due, judged_at, skipped, unknown, report, unreadable, \
         findings, findings_since, findings_last, findings_evaluations, findings_confirmed"
    };
}

/// Accounts from which the App was removed before `$1`, and that have not
/// installed it again.
macro_rules! accounts_left {
    () => {
        "(SELECT i.account FROM installation AS i GROUP BY i.account \
         HAVING COUNT(CASE WHEN i.removed_at IS NULL THEN 1 END) = 0 AND MAX(i.removed_at) < CAST($1 AS BIGINT))"
    };
}

statements! {
    SEE_INSTALLATION = "INSERT INTO installation \
            (id, account, login, suspended_at, seen_at, permissions) \
        VALUES ($1, $2, $3, $4, $5, $6) \
        ON CONFLICT (id) DO UPDATE SET account = excluded.account, login = excluded.login, \
            suspended_at = CASE WHEN excluded.suspended_at IS NULL THEN NULL \
                ELSE COALESCE(installation.suspended_at, excluded.suspended_at) END, \
            removed_at = NULL, seen_at = excluded.seen_at, permissions = excluded.permissions";
    SUSPEND_INSTALLATION = "UPDATE installation SET suspended_at = $2 WHERE id = $1 AND suspended_at IS NULL";
    INSTALLATION = concat!("SELECT ", installation_columns!(), " FROM installation WHERE id = $1");
    INSTALLATIONS = concat!(
        "SELECT ", installation_columns!(), " FROM installation WHERE removed_at IS NULL ORDER BY login, id"
    );
    REMOVE_INSTALLATION = "UPDATE installation SET removed_at = $2 WHERE id = $1 AND removed_at IS NULL";
    /// The account has another login now.
    RENAME_REPOSITORIES_OF = "UPDATE repository SET owner = $2 WHERE installation = $1 AND owner <> $2";
    RENAME_REPOSITORY = "UPDATE repository SET owner = $2, name = $3 WHERE id = $1";
    REMOVE_REPOSITORIES_OF = "UPDATE repository SET removed_at = $2 WHERE installation = $1 AND removed_at IS NULL";

    /// What was found out about a repository that is gone; its names stay, for
    /// the ledger.
    PRUNE_REPORTS = "UPDATE repository SET report = NULL, findings = NULL, findings_since = NULL, \
            findings_last = NULL, findings_evaluations = 0, head = NULL, policy_digest = NULL, \
            findings_confirmed = 0, facts_digest = NULL, common_digest = NULL, ours_digest = NULL, \
            pushed_at = NULL, due = NULL, judged_at = NULL, skipped = NULL, unknown = NULL, \
            unknown_since = NULL, unreadable = NULL, wants = 0 \
        WHERE removed_at < $1 \
            AND (judged_at IS NOT NULL OR unreadable IS NOT NULL OR unknown IS NOT NULL)";
    PRUNE_REFUSALS = "DELETE FROM refusal WHERE repository IN \
        (SELECT r.id FROM repository AS r WHERE r.removed_at < $1)";
    PRUNE_GRANTS = "UPDATE installation SET permissions = NULL WHERE removed_at < $1 AND permissions IS NOT NULL";
    PRUNE_POLICIES = concat!("DELETE FROM policy WHERE account IN ", accounts_left!());
    PRUNE_POLICY_REFUSALS = concat!("DELETE FROM policy_refusal WHERE account IN ", accounts_left!());
    PRUNE_REGISTERS = concat!("DELETE FROM exemption_register WHERE account IN ", accounts_left!());
    PRUNE_LISTINGS = "DELETE FROM listing WHERE withdrawn_at < $1";
    PRUNE_ENTRIES = concat!("DELETE FROM exemption_entry WHERE account IN ", accounts_left!());
    PRUNE_REGISTER_REFUSALS = concat!("DELETE FROM exemption_refusal WHERE account IN ", accounts_left!());
    SEE_REPOSITORY = concat!("INSERT INTO repository \
            (id, node_id, installation, owner, name, visibility, archived, first_seen_at, seen_at, findings_evaluations) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8, 0) \
        ON CONFLICT (id) DO UPDATE SET node_id = excluded.node_id, installation = excluded.installation, \
            owner = excluded.owner, name = excluded.name, visibility = excluded.visibility, \
            archived = excluded.archived, seen_at = excluded.seen_at, removed_at = NULL, \
            publicized_at = ", made_public!("excluded.visibility", "excluded.seen_at", "repository.publicized_at"), ", \
            publicized_from = ",
            made_public!("excluded.visibility", "repository.visibility", "repository.publicized_from"), ", \
            publicized_noted = ",
            made_public!("excluded.visibility", "0", "repository.publicized_noted"), ", \
            arrived_at = CASE WHEN repository.installation = excluded.installation \
                THEN repository.arrived_at ELSE excluded.seen_at END");
    REPOSITORY = concat!("SELECT ", repository_columns!(), " FROM repository WHERE id = $1");
    REPOSITORIES = concat!(
        "SELECT ", repository_columns!(), " FROM repository \
        WHERE installation = $1 AND removed_at IS NULL ORDER BY owner, name, id"
    );
    HAS_REPOSITORY = "SELECT COUNT(*) AS there FROM repository \
        WHERE installation = $1 AND LOWER(name) = $2 AND removed_at IS NULL";
    FIND_REPOSITORY = concat!(
        "SELECT ", repository_columns!(), " FROM repository \
        WHERE LOWER(owner) = $1 AND LOWER(name) = $2 AND removed_at IS NULL ORDER BY seen_at DESC, id LIMIT 1"
    );
    JUDGED_HEAD = "SELECT head FROM repository WHERE id = $1 AND removed_at IS NULL";
    /// Nothing, if another head was judged meanwhile.
    MOVE_HEAD = "UPDATE repository SET head = $3 WHERE id = $1 AND head = $2 AND removed_at IS NULL";
    REMOVE_REPOSITORY = "UPDATE repository SET removed_at = $2 WHERE id = $1 AND removed_at IS NULL";
    REMOVE_UNSEEN = "UPDATE repository SET removed_at = $3 \
        WHERE installation = $1 AND seen_at < $2 AND removed_at IS NULL";
    /// Unless what was read later is stored already; `$6` is when it was read.
    JUDGED = "UPDATE repository SET head = $2, policy_digest = $3, facts_digest = $4, due = $5, \
            judged_at = $6, report = $7, common_digest = $8, ours_digest = $9, pushed_at = $10, \
            skipped = $11, wants = $12, unknown = NULL, unknown_since = NULL, \
            marked_at = CASE WHEN marked_at > CAST($6 AS BIGINT) THEN marked_at ELSE NULL END, \
            arrived_at = CASE WHEN judged_at IS NOT NULL AND head IS NULL AND CAST($2 AS TEXT) IS NOT NULL \
                THEN CAST($6 AS BIGINT) ELSE arrived_at END \
        WHERE id = $1 AND (judged_at IS NULL OR judged_at <= CAST($6 AS BIGINT))";
    SET_UNREADABLE = "UPDATE repository SET unreadable = $2 WHERE id = $1";
    UNREADABLE = "SELECT id, owner, name, visibility, unreadable FROM repository \
        WHERE unreadable IS NOT NULL AND removed_at IS NULL ORDER BY owner, name, id LIMIT $1";
    /// The same findings again count one more evaluation; others start anew.
    EVALUATED = "UPDATE repository SET \
            findings_since = CASE WHEN findings = $2 THEN findings_since ELSE CAST($3 AS BIGINT) END, \
            findings_evaluations = CASE WHEN findings = $2 THEN findings_evaluations + 1 ELSE 1 END, \
            findings_confirmed = CASE WHEN findings = $2 AND findings_confirmed = 1 THEN 1 ELSE CAST($4 AS BIGINT) END, \
            findings_last = $3, findings = $2 \
        WHERE id = $1";

    BEGIN_OUTSTANDING = "INSERT INTO outstanding \
            (id, repository, account, kind, state, findings, created_at, updated_at) \
        VALUES ($1, $2, $3, $4, 'creating', $5, $6, $6) \
        ON CONFLICT (repository, kind) WHERE state IN ('creating', 'open') DO NOTHING";
    ADOPT_OUTSTANDING = "INSERT INTO outstanding \
            (id, repository, account, kind, state, number, node_id, findings, created_at, updated_at) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) \
        ON CONFLICT (repository, kind) WHERE state IN ('creating', 'open') DO NOTHING";
    OPENED = "UPDATE outstanding SET state = 'open', number = $2, node_id = $3, updated_at = $4, \
            commits = CAST($5 AS TEXT) \
        WHERE id = $1 AND state = 'creating'";
    RESUME_OUTSTANDING = "UPDATE outstanding SET updated_at = $2 WHERE id = $1 AND state = 'creating'";
    SETTLE_OUTSTANDING = "UPDATE outstanding SET state = $2, updated_at = $3, closing = NULL WHERE id = $1";
    REFRESH_OUTSTANDING = "UPDATE outstanding SET findings = $2, updated_at = $3 WHERE id = $1";
    EDITING = "UPDATE outstanding SET edits = $2, updated_at = $3 WHERE id = $1";
    STAGED = "UPDATE outstanding SET staged = $2, updated_at = $3 WHERE id = $1";
    WRITTEN = "UPDATE outstanding SET commits = $2, staged = NULL, findings = $3, updated_at = $4 WHERE id = $1";
    CLOSING = "UPDATE outstanding SET closing = $2, updated_at = $3 WHERE id = $1";
    /// The first time counts.
    HANDS_OFF = "UPDATE outstanding SET hands_off_at = COALESCE(hands_off_at, $2) WHERE id = $1";
    WITHDRAW = "DELETE FROM outstanding WHERE id = $1 AND state = 'creating'";
    OUTSTANDING = concat!(
        "SELECT ", outstanding_columns!(), " FROM outstanding WHERE repository = $1 ORDER BY id DESC"
    );
    OUTSTANDING_NOW = concat!(
        "SELECT ", outstanding_columns!(), " FROM outstanding \
        WHERE repository = $1 AND kind = $2 AND state IN ('creating', 'open')"
    );
    /// The digest is nobody's burden: neither here nor below does it count.
    CREATED_SINCE = "SELECT COUNT(*) AS created, MIN(created_at) AS oldest FROM outstanding \
        WHERE account = $1 AND created_at >= $3 AND kind <> 'digest' \
          AND CASE WHEN kind = 'tracking' THEN 'issue' ELSE 'pull_request' END = $2";
    FIRST_CREATED = "SELECT MIN(created_at) AS first FROM outstanding \
        WHERE account = $1 AND kind <> 'digest'";
    PULL_REQUESTS_SINCE = "SELECT COUNT(*) AS created FROM outstanding \
        WHERE repository = $1 AND kind NOT IN ('tracking', 'digest') AND created_at >= $2";
    KIND_SINCE = "SELECT COUNT(*) AS created FROM outstanding \
        WHERE repository = $1 AND kind = $2 AND created_at >= $3";
    /// Without what stands in repositories that are out of reach.
    OPEN_COUNT = "SELECT COUNT(*) AS open FROM outstanding \
        WHERE account = $1 AND kind <> 'digest' AND state IN ('creating', 'open') AND NOT EXISTS \
            (SELECT 1 FROM repository WHERE repository.id = outstanding.repository AND removed_at IS NOT NULL)";

    REFUSED = "INSERT INTO refusal (repository, attempt, because, why, circumstances, refused_at) \
        VALUES ($1, $2, $3, $4, $5, $6) \
        ON CONFLICT (repository, attempt) DO UPDATE SET because = excluded.because, why = excluded.why, \
            circumstances = excluded.circumstances, refused_at = excluded.refused_at";
    REFUSALS = "SELECT attempt, because, why, circumstances, refused_at FROM refusal \
        WHERE repository = $1 ORDER BY attempt";

    POLICY = "SELECT oid, digest, text, taken_at FROM policy WHERE account = $1";
    TAKE_POLICY = "INSERT INTO policy (account, oid, digest, text, taken_at) VALUES ($1, $2, $3, $4, $5) \
        ON CONFLICT (account) DO UPDATE SET oid = excluded.oid, digest = excluded.digest, \
            text = excluded.text, taken_at = excluded.taken_at";
    POLICY_REFUSAL = "SELECT oid, why, refused_at FROM policy_refusal WHERE account = $1";
    REFUSE_POLICY = "INSERT INTO policy_refusal (account, oid, why, refused_at) VALUES ($1, $2, $3, $4) \
        ON CONFLICT (account) DO UPDATE SET oid = excluded.oid, why = excluded.why, refused_at = excluded.refused_at";
    CLEAR_POLICY_REFUSAL = "DELETE FROM policy_refusal WHERE account = $1";
    REMOVE_POLICY = "DELETE FROM policy WHERE account = $1";

}
