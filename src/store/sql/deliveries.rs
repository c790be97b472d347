//! Statements about deliveries.

/// The columns of a delivery, without its body.
macro_rules! delivery_columns {
    () => {
        "guid, event, action, installation, repository, digest, known_body, received_at"
    };
}

macro_rules! delivery_rows {
    ($values:expr) => {
        concat!(
            "INSERT INTO delivery \
                (guid, event, action, installation, repository, digest, known_body, received_at, body) \
            VALUES ",
            $values
        )
    };
}

/// A row whose body has not come before.
macro_rules! new_delivery {
    ($guid:tt, $event:tt, $action:tt, $installation:tt, $repository:tt, $digest:tt, $received_at:tt, $body:tt) => {
        concat!(
            "($",
            $guid,
            ", $",
            $event,
            ", $",
            $action,
            ", $",
            $installation,
            ", $",
            $repository,
            ", $",
            $digest,
            ", 0, $",
            $received_at,
            ", $",
            $body,
            ")"
        )
    };
}

statements! {
    /// One row back if the GUID is new; it says whether the body was known.
    ADD_DELIVERY = delivery_rows!(
        "($1, $2, $3, $4, $5, $6, \
            (SELECT CASE WHEN COUNT(*) > 0 THEN 1 ELSE 0 END FROM delivery AS earlier WHERE earlier.digest = $6), \
            $7, $8) \
        ON CONFLICT (guid) DO NOTHING RETURNING known_body"
    );
    /// How many stored deliveries share a GUID or a body with these: their
    /// GUIDs, then their digests.
    KNOWN_AMONG_4 = "SELECT COUNT(*) AS known FROM delivery \
        WHERE guid IN ($1, $2, $3, $4) OR digest IN ($5, $6, $7, $8)";
    KNOWN_AMONG_16 = "SELECT COUNT(*) AS known FROM delivery \
        WHERE guid IN ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16) \
           OR digest IN ($17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29, $30, $31, $32)";
    /// For deliveries of which nothing is known. Fails where that has changed.
    ADD_4_DELIVERIES = delivery_rows!(four_rows!(of 8: new_delivery));
    ADD_16_DELIVERIES = delivery_rows!(sixteen_rows!(of 8: new_delivery));
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
