//! Statements about repositories that were made public.

statements! {
    /// Each is given once, whoever saw it first.
    PUBLICIZED_UNNOTED = "UPDATE repository SET publicized_noted = 1 WHERE publicized_noted = 0 \
        RETURNING id, installation, publicized_from";
    PUBLICIZED = "SELECT id, owner, name, publicized_at, publicized_from FROM repository \
        WHERE installation = $1 AND removed_at IS NULL AND publicized_at IS NOT NULL ORDER BY publicized_at, id";
}
