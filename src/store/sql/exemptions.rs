//! Statements about the register of exemptions.

statements! {
    EXEMPTION_REGISTER = "SELECT account, repository, head, oid, annex, read_at FROM exemption_register \
        WHERE account = $1";
    EXEMPTION_REGISTERS = "SELECT account FROM exemption_register \
        UNION SELECT account FROM exemption_event UNION SELECT account FROM exemption_refusal \
        ORDER BY account";
    TAKE_REGISTER = "INSERT INTO exemption_register (account, repository, head, oid, annex, read_at) \
        VALUES ($1, $2, $3, $4, $5, $6) \
        ON CONFLICT (account) DO UPDATE SET repository = excluded.repository, head = excluded.head, \
            oid = excluded.oid, annex = excluded.annex, read_at = excluded.read_at";
    REMOVE_REGISTER = "DELETE FROM exemption_register WHERE account = $1";
    REMOVE_ENTRIES = "DELETE FROM exemption_entry WHERE account = $1";
    ADD_ENTRY = "INSERT INTO exemption_entry (account, place, repository, entry) VALUES ($1, $2, $3, $4)";
    /// Each with where its repository was seen last.
    EXEMPTION_ENTRIES = "SELECT e.entry, r.owner, r.name, i.account AS home, \
            CASE WHEN r.removed_at IS NULL AND i.removed_at IS NULL THEN 0 ELSE 1 END AS gone \
        FROM exemption_entry AS e LEFT JOIN repository AS r ON r.id = e.repository \
            LEFT JOIN installation AS i ON i.id = r.installation \
        WHERE e.account = $1 ORDER BY e.place";
    REGISTER_REFUSAL = "SELECT oid, why, refused_at FROM exemption_refusal WHERE account = $1";
    REFUSE_REGISTER = "INSERT INTO exemption_refusal (account, oid, why, refused_at) VALUES ($1, $2, $3, $4) \
        ON CONFLICT (account) DO UPDATE SET oid = excluded.oid, why = excluded.why, \
            refused_at = excluded.refused_at";
    CLEAR_REGISTER_REFUSAL = "DELETE FROM exemption_refusal WHERE account = $1";
    EXEMPTION_EVENTS = "SELECT digest, happened, happened_at FROM exemption_event \
        WHERE account = $1 ORDER BY id";
}
