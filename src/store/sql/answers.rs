//! Statements about people's answers.

statements! {
    ANSWERS = "SELECT repository, oid, record, problem FROM answer WHERE account = $1 ORDER BY repository";
    PUT_ANSWER = "INSERT INTO answer (account, repository, oid, record, problem) VALUES ($1, $2, $3, $4, $5) \
        ON CONFLICT (account, repository) DO UPDATE SET oid = excluded.oid, record = excluded.record, \
            problem = excluded.problem";
    REMOVE_ANSWER = "DELETE FROM answer WHERE account = $1 AND repository = $2";
}
