//! Statements about deliveries.

/// The columns of a delivery, without its body.
macro_rules! delivery_columns {
    () => {
        "guid, event, action, installation, repository, digest, known_body, received_at"
    };
}

/// Adds a delivery whose GUID is new.
macro_rules! put_delivery {
    () => {
        "INSERT INTO delivery \
            (guid, event, action, installation, repository, digest, known_body, received_at, body) \
        VALUES ($1, $2, $3, $4, $5, $6, \
            (SELECT CASE WHEN COUNT(*) > 0 THEN 1 ELSE 0 END FROM delivery AS earlier WHERE earlier.digest = $6), \
            $7, $8) \
        ON CONFLICT (guid) DO NOTHING"
    };
}

statements! {
    /// One row back if the GUID is new; it says whether the body was known.
    ADD_DELIVERY = concat!(put_delivery!(), " RETURNING known_body");
    /// Changes one row if the GUID is new. For SQLite, which makes a table for
    /// the row that it gives back.
    PUT_DELIVERY = put_delivery!();
    KNOWN_BODY = "SELECT known_body FROM delivery WHERE guid = $1";
    DELIVERIES = concat!(
        "SELECT ", delivery_columns!(), " FROM delivery \
        WHERE (CAST($1 AS BIGINT) IS NULL OR installation = $1) \
          AND (CAST($2 AS BIGINT) IS NULL OR repository = $2) \
          AND (CAST($3 AS TEXT) IS NULL OR event = $3) \
        ORDER BY received_at DESC, guid LIMIT $4"
    );
    DELIVERY = concat!("SELECT ", delivery_columns!(), ", body FROM delivery WHERE guid = $1");
    PRUNE_BODIES = "UPDATE delivery SET body = NULL WHERE received_at < $1 AND body IS NOT NULL";
    PRUNE_DELIVERIES = "DELETE FROM delivery WHERE received_at < $1";
}
