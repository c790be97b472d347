//! Statements about digest issues.

statements! {
    DIGEST = "SELECT said, wanted, since FROM digest WHERE repository = $1";
    DIGESTS_WAITING = "SELECT digest.repository FROM digest \
        JOIN repository ON repository.id = digest.repository \
        WHERE repository.installation = $1 AND repository.removed_at IS NULL \
          AND CASE WHEN digest.said IS NULL THEN digest.since IS NOT NULL ELSE digest.said <> digest.wanted END ORDER BY digest.repository";
    DIGESTS_OF = "SELECT digest.repository FROM digest \
        JOIN repository ON repository.id = digest.repository \
        WHERE repository.installation = $1 AND repository.removed_at IS NULL ORDER BY digest.repository";
    /// `$3` is now, or nothing if nothing needs the office.
    WANT_DIGEST = "INSERT INTO digest (repository, wanted, since) VALUES ($1, $2, $3) \
        ON CONFLICT (repository) DO UPDATE SET wanted = excluded.wanted, \
            since = CASE WHEN excluded.since IS NULL THEN NULL ELSE COALESCE(digest.since, excluded.since) END";
    DIGEST_SAYS = "INSERT INTO digest (repository, wanted, said) VALUES ($1, $2, $2) \
        ON CONFLICT (repository) DO UPDATE SET wanted = excluded.wanted, said = excluded.said";
}
