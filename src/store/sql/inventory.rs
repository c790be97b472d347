//! Statements about the inventory.

/// Rows as one JSON array of arrays: in a list of thousands, to hand over each
/// row by itself takes longer than to find it.
macro_rules! in_json {
    ($rows:literal, $row:literal, $columns:literal, $from:literal) => {
        concat!("SELECT CAST(", $rows, "(", $row, "(", $columns, ")) AS TEXT) AS list FROM ", $from)
    };
}

macro_rules! sqlite {
    ($list:ident) => {
        $list!("json_group_array", "json_array")
    };
}

macro_rules! postgres {
    ($list:ident) => {
        $list!("json_agg", "json_build_array")
    };
}

macro_rules! entries {
    ($rows:literal, $row:literal) => {
        in_json!(
            $rows,
            $row,
            "r.id, r.node_id, r.owner, r.name, r.visibility, r.archived, r.skipped, r.unknown, \
                e.read_at, e.revision, e.changed_at, e.former_urls, \
                CASE WHEN t.polled_on IS NULL THEN NULL ELSE t.clones END, l.hours, l.problem",
            "repository AS r LEFT JOIN entry AS e ON e.repository = r.id \
                LEFT JOIN traffic_poll AS t ON t.repository = r.id LEFT JOIN labor AS l ON l.repository = r.id \
            WHERE r.installation = $1 AND r.removed_at IS NULL"
        )
    };
}

/// Names that must not be told, gone ones included.
macro_rules! hidden_names {
    ($rows:literal, $row:literal) => {
        in_json!($rows, $row, "id, owner, name", "repository WHERE visibility <> 'public'")
    };
}

macro_rules! listed {
    ($rows:literal, $row:literal) => {
        in_json!(
            $rows,
            $row,
            "subject, digest",
            "listing WHERE agency = $1 AND file = $2 AND withdrawn_at IS NULL"
        )
    };
}

statements! {
    /// Unless what was read later is stored already. The record of a file that
    /// can no longer be read stays (`$6`).
    PUT_ENTRY = "INSERT INTO entry \
            (repository, read_at, sources, record, digest, changed_at, former_urls, url) \
        VALUES ($1, $2, $3, $4, $5, $2, '', $7) \
        ON CONFLICT (repository) DO UPDATE SET read_at = excluded.read_at, sources = excluded.sources, \
            revision = entry.revision + 1, \
            record = CASE WHEN CAST($6 AS BIGINT) = 1 THEN entry.record ELSE excluded.record END, \
            digest = excluded.digest, url = excluded.url, \
            former_urls = CASE WHEN entry.url = excluded.url THEN entry.former_urls \
                ELSE entry.former_urls || entry.url || ' ' END, \
            changed_at = CASE WHEN entry.digest = excluded.digest THEN entry.changed_at ELSE excluded.read_at END \
        WHERE entry.read_at <= excluded.read_at \
        RETURNING changed_at";
    ENTRIES_SQLITE = sqlite!(entries);
    ENTRIES_POSTGRES = postgres!(entries);
    SOURCES = "SELECT e.repository, e.read_at, e.revision, e.sources, e.record \
        FROM entry AS e JOIN repository AS r ON r.id = e.repository \
        WHERE r.installation = $1 AND r.removed_at IS NULL AND e.repository BETWEEN $2 AND $3";
    HIDDEN_NAMES_SQLITE = sqlite!(hidden_names);
    HIDDEN_NAMES_POSTGRES = postgres!(hidden_names);
    SEE_VISIBILITY = concat!("UPDATE repository SET visibility = $2, archived = $3, \
            publicized_at = ", made_public!("$2", "CAST($4 AS BIGINT)", "publicized_at"), ", \
            publicized_from = ", made_public!("$2", "repository.visibility", "publicized_from"), ", \
            publicized_noted = ", made_public!("$2", "0", "publicized_noted"), " \
        WHERE id = $1");
    OPAQUE = "SELECT id, repository, visibility, drawn_at, listed FROM opaque WHERE ended_at IS NULL";
    DRAW_OPAQUE = "INSERT INTO opaque (id, repository, visibility, drawn_at, listed) VALUES ($1, $2, $3, $4, $5)";
    END_OPAQUE = "UPDATE opaque SET ended_at = $2 WHERE repository = $1 AND ended_at IS NULL";
    LIST_OPAQUE = "UPDATE opaque SET listed = 1 WHERE id = $1";
    PUBLICATION = "SELECT sha256, substance, policy_digest, proposed, published_at, account, accounted_at, \
            refused, refused_at \
        FROM publication WHERE agency = $1 AND file = $2";
    PUBLICATION_HASH = "SELECT sha256 FROM publication WHERE agency = $1 AND file = $2 AND sha256 IS NOT NULL";
    LISTED_SQLITE = sqlite!(listed);
    LISTED_POSTGRES = postgres!(listed);
    /// What stands in a file, its head among it.
    LISTINGS = "SELECT p.sha256, p.published_at, l.subject, l.place, l.text \
        FROM publication AS p JOIN listing AS l ON l.agency = p.agency AND l.file = p.file \
        WHERE p.agency = $1 AND p.file = $2 AND p.sha256 IS NOT NULL AND l.withdrawn_at IS NULL";
    /// What stood in a file at a moment.
    LISTINGS_AT = "SELECT subject, place, text, published_at FROM listing \
        WHERE agency = $1 AND file = $2 AND published_at <= $3 AND (withdrawn_at IS NULL OR withdrawn_at > $3)";
    UNLIST = "UPDATE listing SET withdrawn_at = $4 \
        WHERE agency = $1 AND file = $2 AND subject = $3 AND withdrawn_at IS NULL";
    UNLIST_ALL = "UPDATE listing SET withdrawn_at = $3 WHERE agency = $1 AND file = $2 AND withdrawn_at IS NULL";
    LIST = "INSERT INTO listing (agency, file, subject, place, text, digest, published_at) \
        VALUES ($1, $2, $3, $4, $5, $6, $7)";
    /// Unless somebody else published in between (`$8` is what stood before).
    PUBLISH = "INSERT INTO publication \
            (agency, file, sha256, substance, policy_digest, published_at, account, accounted_at) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $6) \
        ON CONFLICT (agency, file) DO UPDATE SET sha256 = excluded.sha256, \
            substance = excluded.substance, policy_digest = excluded.policy_digest, \
            published_at = excluded.published_at, \
            account = COALESCE(excluded.account, publication.account), accounted_at = excluded.accounted_at, \
            refused = NULL, refused_at = NULL \
        WHERE publication.sha256 IS NOT DISTINCT FROM CAST($8 AS TEXT)";
    ACCOUNT_OF = "INSERT INTO publication (agency, file, account, accounted_at, refused, refused_at) \
        VALUES ($1, $2, $3, $4, $5, CASE WHEN CAST($5 AS TEXT) IS NULL THEN NULL ELSE CAST($4 AS BIGINT) END) \
        ON CONFLICT (agency, file) DO UPDATE SET account = excluded.account, accounted_at = excluded.accounted_at, \
            refused = excluded.refused, refused_at = CASE WHEN excluded.refused IS NULL THEN NULL \
                WHEN publication.refused = excluded.refused THEN publication.refused_at ELSE excluded.refused_at END";
    PROPOSED_NOWHERE = "UPDATE publication SET proposed = NULL WHERE agency = $1";
    PROPOSED = "UPDATE publication SET proposed = $3 WHERE agency = $1 AND file = $2";
}
