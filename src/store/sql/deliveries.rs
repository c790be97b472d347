//! Statements about deliveries.

/// The columns of a delivery, without its body.
macro_rules! delivery_columns {
    () => {
        "guid, event, action, installation, repository, digest, known_body, received_at"
    };
}

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
            ", (SELECT CASE WHEN COUNT(*) > 0 THEN 1 ELSE 0 END FROM delivery AS earlier \
               WHERE earlier.digest = $",
            $digest,
            "), $",
            $received_at,
            ", $",
            $body,
            ")"
        )
    };
}

macro_rules! add_deliveries {
    ($($rows:tt)*) => {
        concat!(
            "INSERT INTO delivery \
                (guid, event, action, installation, repository, digest, known_body, received_at, body) \
            VALUES ", $($rows)*, " ON CONFLICT (guid) DO NOTHING RETURNING guid, known_body"
        )
    };
}

statements! {
    /// The GUID back if it is new, and whether the body was known.
    ADD_DELIVERY = add_deliveries!(new_delivery!(1, 2, 3, 4, 5, 6, 7, 8));
    /// Whether such a statement sees its own rows differs between the
    /// databases, so neither a GUID nor a digest may stand in it twice.
    ADD_4_DELIVERIES = add_deliveries!(four_rows!(of 8: new_delivery));
    ADD_16_DELIVERIES = add_deliveries!(sixteen_rows!(of 8: new_delivery));
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
