//! Statements about the accounts that are served, what they lack, and GitHub's
//! record of deliveries.

statements! {
    BIND_ACCOUNT = "INSERT INTO served_account (name, account, bound_at) VALUES ($1, $2, $3) \
        ON CONFLICT (name) DO NOTHING";
    BOUND_TO = "SELECT account FROM served_account WHERE name = $1";
    BOUND_NAMES = "SELECT name FROM served_account ORDER BY name";
    NAMES_OF_ACCOUNT = "SELECT name FROM served_account WHERE account = $1 ORDER BY name";
    UNBIND_NAME = "DELETE FROM served_account WHERE name = $1";

    WAIT = "INSERT INTO waiting (installation, needs, repository, granted, since) \
        VALUES ($1, $2, $3, $4, $5) ON CONFLICT (installation, needs, repository) DO NOTHING";
    /// It waits already: from now on for other permissions than these.
    WAIT_ON = "UPDATE waiting SET granted = $4 WHERE installation = $1 AND needs = $2 AND repository = $3";
    /// What waits though the permissions are others now, without the rows that
    /// only say what is lacking.
    WAITING = "SELECT DISTINCT repository FROM waiting \
        WHERE installation = $1 AND repository <> 0 AND granted <> $2 ORDER BY repository";
    /// What an installation lacks.
    LACKING = "SELECT needs FROM waiting WHERE installation = $1 AND repository = 0 ORDER BY needs";
    STOP_WAITING = "DELETE FROM waiting WHERE installation = $1 AND granted <> $2";
    DROP_WAITING = "DELETE FROM waiting WHERE installation = $1";

    DELIVERY_RECORD = "SELECT read_at, read_id, pass_at, pass_id, cursor, round_at \
        FROM delivery_record WHERE list = $1";
    KEEP_DELIVERY_RECORD = "INSERT INTO delivery_record \
            (list, read_at, read_id, pass_at, pass_id, cursor, round_at) \
        VALUES ($1, $2, $3, $4, $5, $6, $7) \
        ON CONFLICT (list) DO UPDATE SET read_at = excluded.read_at, read_id = excluded.read_id, \
            pass_at = excluded.pass_at, pass_id = excluded.pass_id, cursor = excluded.cursor, \
            round_at = excluded.round_at";
    /// Nothing of a delivery that has come in; of one that is known the newest
    /// attempt counts.
    MISS_DELIVERY = "INSERT INTO missed_delivery (guid, delivery, installation, attempts, next_at, listed_at) \
        SELECT CAST($1 AS TEXT), CAST($2 AS BIGINT), CAST($4 AS BIGINT), 0, CAST($3 AS BIGINT), \
            CAST($3 AS BIGINT) \
        WHERE NOT EXISTS (SELECT 1 FROM delivery WHERE delivery.guid = $1) \
        ON CONFLICT (guid) DO UPDATE SET delivery = excluded.delivery \
            WHERE excluded.delivery > missed_delivery.delivery";
    FORGET_ARRIVED = "DELETE FROM missed_delivery \
        WHERE EXISTS (SELECT 1 FROM delivery WHERE delivery.guid = missed_delivery.guid)";
    MISSED = "SELECT guid, delivery, installation, attempts FROM missed_delivery \
        WHERE given_up_at IS NULL AND next_at <= $1 ORDER BY delivery LIMIT $2";
    TRY_MISSED = "UPDATE missed_delivery SET attempts = attempts + 1, next_at = $2 WHERE guid = $1";
    FORGET_MISSED = "DELETE FROM missed_delivery WHERE guid = $1";
    GIVE_UP_MISSED = "UPDATE missed_delivery SET given_up_at = $2 WHERE guid = $1";
    PRUNE_MISSED = "DELETE FROM missed_delivery WHERE listed_at < $1";
}
