//! Statements about pull requests that wait for their check run.

statements! {
    /// Another head begins with its first attempt.
    ASK_CHECK = "INSERT INTO pull_request_check \
            (repository, pull_request, installation, head, attempt, asked, answered, asked_at) \
        VALUES ($1, $2, $3, $4, 0, 1, 0, $5) \
        ON CONFLICT (repository, pull_request) DO UPDATE SET \
            installation = excluded.installation, \
            attempt = CASE WHEN pull_request_check.head = excluded.head \
                THEN pull_request_check.attempt ELSE 0 END, \
            head = excluded.head, \
            asked = pull_request_check.asked + 1, \
            asked_at = excluded.asked_at";
    ASK_CHECK_AGAIN = "UPDATE pull_request_check \
        SET attempt = attempt + 1, asked = asked + 1, asked_at = $3 WHERE repository = $1 AND head = $2";
    CHECKS_ASKED = "SELECT pull_request, head, attempt, asked FROM pull_request_check \
        WHERE repository = $1 AND asked > answered ORDER BY asked_at, pull_request";
    /// Nothing of a wish that came meanwhile.
    ANSWER_CHECK = "UPDATE pull_request_check SET answered = asked, head = $4, attempt = $5 \
        WHERE repository = $1 AND pull_request = $2 AND asked = $3";
    FORGET_CHECK = "DELETE FROM pull_request_check \
        WHERE repository = $1 AND pull_request = $2 AND asked = $3";
    UNANSWERED_CHECKS = "SELECT DISTINCT repository FROM pull_request_check \
        WHERE installation = $1 AND asked > answered ORDER BY repository";
    PRUNE_CHECKS = "DELETE FROM pull_request_check WHERE asked_at < $1";
}
