//! Every statement of this room. The partial indexes are used only where their condition is repeated word for word.

gatepost_store::statements! {
    /// An accepted letter.
    INSERT_SUBMISSION = "
        INSERT INTO submission
            (organisation_id, id, origin, origin_id, login_id, app_password_id, mail_account_id, chosen_because,
             reverse_path, message_id, size_bytes, is_smtputf8, is_8bit, dsn_ret, dsn_envid, client, accepted_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)";

    /// One of its recipients.
    INSERT_DELIVERY = "
        INSERT INTO delivery
            (submission_id, ordinal, organisation_id, mail_account_id, recipient, dsn_notify, dsn_orcpt,
             state, because, next_attempt_at, n_attempts, life_ends_at, life_left_ms, is_uncertain, changed_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 0, $11, $12, FALSE, $13)";

    /// A letter's envelope.
    FIND_SUBMISSION = "
        SELECT id, origin, origin_id, mail_account_id, chosen_because, reverse_path, message_id, size_bytes,
            is_smtputf8, is_8bit, dsn_ret, dsn_envid, client, accepted_at, finished_at, body_erased_at,
            login_id, app_password_id
        FROM submission
        WHERE organisation_id = $1 AND id = $2";

    /// A letter, for this transaction alone: whoever moves its last recipient marks it finished.
    LOCK_SUBMISSION = locking "
        SELECT id, body_erased_at
        FROM submission
        WHERE organisation_id = $1 AND id = $2";

    /// Letters, newest first, before a given one.
    LIST_SUBMISSIONS = "
        SELECT id, origin, origin_id, mail_account_id, chosen_because, reverse_path, message_id, size_bytes,
            is_smtputf8, is_8bit, dsn_ret, dsn_envid, client, accepted_at, finished_at, body_erased_at,
            login_id, app_password_id
        FROM submission
        WHERE organisation_id = $1 AND id < $2
        ORDER BY id DESC
        LIMIT $3";

    /// Letters with a recipient in one of the rarer states, newest first, before a given one.
    LIST_SUBMISSIONS_BY_STATE = "
        SELECT s.id, s.origin, s.origin_id, s.mail_account_id, s.chosen_because, s.reverse_path, s.message_id,
            s.size_bytes, s.is_smtputf8, s.is_8bit, s.dsn_ret, s.dsn_envid, s.client, s.accepted_at, s.finished_at,
            s.body_erased_at, s.login_id, s.app_password_id
        FROM submission s
        WHERE s.organisation_id = $1 AND s.id IN (
            SELECT d.submission_id
            FROM delivery d
            WHERE d.organisation_id = $1 AND d.state = $2 AND d.submission_id < $3
                AND d.state IN ('deferred', 'held', 'failed', 'cancelled')
            ORDER BY d.submission_id DESC
            LIMIT $4)
        ORDER BY s.id DESC";

    /// Letters that are not finished, newest first, before a given one.
    LIST_OPEN_SUBMISSIONS = "
        SELECT id, origin, origin_id, mail_account_id, chosen_because, reverse_path, message_id, size_bytes,
            is_smtputf8, is_8bit, dsn_ret, dsn_envid, client, accepted_at, finished_at, body_erased_at,
            login_id, app_password_id
        FROM submission
        WHERE organisation_id = $1 AND id < $2 AND finished_at IS NULL
        ORDER BY id DESC
        LIMIT $3";

    /// Letters that came by one login, newest first, before a given one.
    LIST_SUBMISSIONS_OF_LOGIN = "
        SELECT id, origin, origin_id, mail_account_id, chosen_because, reverse_path, message_id, size_bytes,
            is_smtputf8, is_8bit, dsn_ret, dsn_envid, client, accepted_at, finished_at, body_erased_at,
            login_id, app_password_id
        FROM submission
        WHERE organisation_id = $1 AND login_id = $2 AND id < $3
        ORDER BY id DESC
        LIMIT $4";

    /// Which login a letter came by.
    FIND_LOGIN_OF_SUBMISSION = "
        SELECT login_id
        FROM submission
        WHERE organisation_id = $1 AND id = $2";

    /// How many letters are not finished, up to a limit.
    COUNT_OPEN_SUBMISSIONS = "
        SELECT COUNT(*)
        FROM (
            SELECT 1
            FROM submission
            WHERE organisation_id = $1 AND finished_at IS NULL
            LIMIT $2) AS found";

    /// How many letters were accepted between two ids, which rise with the time, up to a limit.
    COUNT_SUBMISSIONS_BETWEEN = "
        SELECT COUNT(*)
        FROM (
            SELECT 1
            FROM submission
            WHERE organisation_id = $1 AND id >= $2 AND id < $3
            LIMIT $4) AS found";

    /// No recipient is left to be tried: the letter is finished.
    FINISH_SUBMISSION = "
        UPDATE submission
        SET finished_at = $3
        WHERE organisation_id = $1 AND id = $2 AND NOT EXISTS (
            SELECT 1
            FROM delivery
            WHERE organisation_id = $1 AND submission_id = $2 AND state IN ('waiting', 'deferred', 'held'))";

    /// A letter is tried again.
    UNFINISH_SUBMISSION = "
        UPDATE submission
        SET finished_at = NULL
        WHERE organisation_id = $1 AND id = $2";

    /// One letter's recipients, for this transaction alone.
    LOCK_DELIVERIES = locking "
        SELECT ordinal, mail_account_id, recipient, dsn_notify, dsn_orcpt, state, because, next_attempt_at, n_attempts,
            life_ends_at, life_left_ms, attempt_id, is_uncertain
        FROM delivery
        WHERE organisation_id = $1 AND submission_id = $2
        ORDER BY ordinal";

    /// One letter's recipients, to be shown.
    LIST_DELIVERIES = "
        SELECT ordinal, mail_account_id, recipient, dsn_notify, dsn_orcpt, state, because, next_attempt_at, n_attempts,
            life_ends_at, life_left_ms, attempt_id, is_uncertain
        FROM delivery
        WHERE organisation_id = $1 AND submission_id = $2
        ORDER BY ordinal";

    /// The oldest recipients that are due and were never tried: the first to be claimed, and whether there are more.
    NEXT_WAITING = "
        SELECT submission_id
        FROM delivery
        WHERE mail_account_id = $1 AND organisation_id = $2 AND next_attempt_at = 0
            AND attempt_id IS NULL AND state IN ('waiting', 'deferred')
        ORDER BY submission_id
        LIMIT 2";

    /// The same among those that were tried.
    NEXT_DEFERRED = "
        SELECT submission_id
        FROM delivery
        WHERE mail_account_id = $1 AND organisation_id = $2 AND next_attempt_at > 0 AND next_attempt_at <= $3
            AND attempt_id IS NULL AND state IN ('waiting', 'deferred')
        ORDER BY next_attempt_at, submission_id
        LIMIT 2";

    /// Due recipients of one letter, for this transaction alone; those that another claims at this moment are passed over.
    CLAIMABLE = claiming "
        SELECT ordinal, mail_account_id, recipient, dsn_notify, dsn_orcpt, state, because, next_attempt_at, n_attempts,
            life_ends_at, life_left_ms, attempt_id, is_uncertain
        FROM delivery
        WHERE submission_id = $1 AND organisation_id = $2 AND mail_account_id = $3 AND next_attempt_at <= $4
            AND attempt_id IS NULL AND state IN ('waiting', 'deferred')
        ORDER BY ordinal
        LIMIT $5";

    /// Takes a recipient in hand.
    CLAIM = "
        UPDATE delivery
        SET attempt_id = $3, n_attempts = n_attempts + 1
        WHERE submission_id = $1 AND ordinal = $2 AND organisation_id = $4 AND attempt_id IS NULL";

    /// One try, before anything is dialled.
    INSERT_ATTEMPT = "
        INSERT INTO attempt (id, organisation_id, submission_id, mail_account_id, node_id, fence, started_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7)";

    /// What the try brought one recipient.
    INSERT_OUTCOME = "
        INSERT INTO outcome (attempt_id, ordinal, organisation_id, submission_id, at, result, code, reply)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
        ON CONFLICT (attempt_id, ordinal) DO NOTHING";

    /// Moves a recipient that an attempt has in hand.
    CONCLUDE = "
        UPDATE delivery
        SET state = $4, because = $5, next_attempt_at = $6, life_ends_at = $7, life_left_ms = $8, is_uncertain = $9,
            changed_at = $10, attempt_id = NULL
        WHERE submission_id = $1 AND ordinal = $2 AND organisation_id = $3 AND attempt_id = $11";

    /// Moves a recipient that nobody has in hand.
    MOVE = "
        UPDATE delivery
        SET state = $4, because = $5, next_attempt_at = $6, life_ends_at = $7, life_left_ms = $8, is_uncertain = $9,
            changed_at = $10
        WHERE submission_id = $1 AND ordinal = $2 AND organisation_id = $3 AND attempt_id IS NULL";

    /// Gives a recipient another account.
    CHANGE_ACCOUNT = "
        UPDATE delivery
        SET mail_account_id = $4
        WHERE submission_id = $1 AND ordinal = $2 AND organisation_id = $3 AND attempt_id IS NULL";

    /// What an account's earlier owner had in hand when it ended.
    LIST_IN_HAND = "
        SELECT d.submission_id, d.ordinal, d.attempt_id, a.started_at, a.fence
        FROM delivery d
        JOIN attempt a ON a.id = d.attempt_id
        WHERE d.mail_account_id = $1 AND d.organisation_id = $2 AND d.attempt_id IS NOT NULL
        ORDER BY d.submission_id, d.ordinal
        LIMIT 10000";

    /// Accounts with something to send, and when the first of it is due.
    LIST_DUE_ACCOUNTS = "
        SELECT mail_account_id, organisation_id, MIN(next_attempt_at)
        FROM delivery
        WHERE mail_account_id IS NOT NULL AND attempt_id IS NULL AND state IN ('waiting', 'deferred')
        GROUP BY mail_account_id, organisation_id";

    /// Accounts with something in hand.
    LIST_BUSY_ACCOUNTS = "
        SELECT DISTINCT mail_account_id, organisation_id
        FROM delivery
        WHERE mail_account_id IS NOT NULL AND attempt_id IS NOT NULL";

    /// When an account's next letter is due.
    NEXT_DUE = "
        SELECT next_attempt_at
        FROM delivery
        WHERE mail_account_id = $1 AND organisation_id = $2 AND attempt_id IS NULL AND state IN ('waiting', 'deferred')
        ORDER BY next_attempt_at
        LIMIT 1";

    /// How many recipients of an account wait, are in hand, and are held. Each count repeats the condition of its index.
    COUNT_WAITING = "
        SELECT
            (SELECT COUNT(*)
             FROM delivery
             WHERE mail_account_id = $1 AND organisation_id = $2
                AND attempt_id IS NULL AND state IN ('waiting', 'deferred'))
            + (SELECT COUNT(*)
               FROM delivery
               WHERE mail_account_id = $1 AND organisation_id = $2 AND attempt_id IS NOT NULL)
            + (SELECT COUNT(*)
               FROM delivery
               WHERE organisation_id = $2 AND state = 'held' AND mail_account_id = $1
                AND state IN ('deferred', 'held', 'failed', 'cancelled'))";

    /// How many recipients of each of up to 50 accounts wait, are in hand, and are held, up to `$2` each: one statement for a whole
    /// page. The first branch tells PostgreSQL of which type the others are.
    COUNT_WAITING_OF_EACH = "
        WITH wanted (id) AS (
            SELECT CAST(NULL AS UUID)
            UNION ALL SELECT $3 UNION ALL SELECT $4 UNION ALL SELECT $5 UNION ALL SELECT $6 UNION ALL SELECT $7
            UNION ALL SELECT $8 UNION ALL SELECT $9 UNION ALL SELECT $10 UNION ALL SELECT $11 UNION ALL SELECT $12
            UNION ALL SELECT $13 UNION ALL SELECT $14 UNION ALL SELECT $15 UNION ALL SELECT $16 UNION ALL SELECT $17
            UNION ALL SELECT $18 UNION ALL SELECT $19 UNION ALL SELECT $20 UNION ALL SELECT $21 UNION ALL SELECT $22
            UNION ALL SELECT $23 UNION ALL SELECT $24 UNION ALL SELECT $25 UNION ALL SELECT $26 UNION ALL SELECT $27
            UNION ALL SELECT $28 UNION ALL SELECT $29 UNION ALL SELECT $30 UNION ALL SELECT $31 UNION ALL SELECT $32
            UNION ALL SELECT $33 UNION ALL SELECT $34 UNION ALL SELECT $35 UNION ALL SELECT $36 UNION ALL SELECT $37
            UNION ALL SELECT $38 UNION ALL SELECT $39 UNION ALL SELECT $40 UNION ALL SELECT $41 UNION ALL SELECT $42
            UNION ALL SELECT $43 UNION ALL SELECT $44 UNION ALL SELECT $45 UNION ALL SELECT $46 UNION ALL SELECT $47
            UNION ALL SELECT $48 UNION ALL SELECT $49 UNION ALL SELECT $50 UNION ALL SELECT $51 UNION ALL SELECT $52)
        SELECT
            w.id,
            (SELECT COUNT(*)
             FROM (
                SELECT 1
                FROM delivery
                WHERE mail_account_id = w.id AND organisation_id = $1
                    AND attempt_id IS NULL AND state IN ('waiting', 'deferred')
                LIMIT $2) waits)
            + (SELECT COUNT(*)
               FROM (
                SELECT 1
                FROM delivery
                WHERE mail_account_id = w.id AND organisation_id = $1 AND attempt_id IS NOT NULL
                LIMIT $2) in_hand)
            + (SELECT COUNT(*)
               FROM (
                SELECT 1
                FROM delivery
                WHERE mail_account_id = w.id AND organisation_id = $1 AND state = 'held'
                LIMIT $2) held)
        FROM wanted w
        WHERE w.id IS NOT NULL
        LIMIT 50";

    /// A letter whose rows cannot be read is held, so that those behind it leave.
    QUARANTINE = "
        UPDATE delivery
        SET state = 'held', because = 'damaged', next_attempt_at = 0, life_ends_at = NULL, life_left_ms = 0,
            changed_at = $4
        WHERE submission_id = $1 AND organisation_id = $2 AND mail_account_id = $3 AND attempt_id IS NULL
            AND state IN ('waiting', 'deferred')";

    /// A released account's deferred letters become due, a batch at a time.
    RELEASE_DEFERRED = "
        UPDATE delivery
        SET next_attempt_at = 1
        WHERE mail_account_id = $1 AND organisation_id = $2 AND next_attempt_at > 1
            AND attempt_id IS NULL AND state IN ('waiting', 'deferred')
            AND submission_id IN (
                SELECT submission_id
                FROM delivery
                WHERE mail_account_id = $1 AND organisation_id = $2 AND next_attempt_at > 1
                    AND attempt_id IS NULL AND state IN ('waiting', 'deferred')
                LIMIT $3)";

    /// After the clock was set back, in all organisations: rows that were changed in what is now the future become due.
    REPAIR_FUTURE = "
        UPDATE delivery
        SET next_attempt_at = 1, changed_at = $1
        WHERE changed_at > $1 AND state = 'deferred' AND state IN ('deferred', 'held', 'failed', 'cancelled')
            AND attempt_id IS NULL";

    /// Letters that wait for an account, some at a time.
    LIST_OPEN_OF_ACCOUNT = "
        SELECT DISTINCT submission_id
        FROM delivery
        WHERE mail_account_id = $1 AND organisation_id = $2 AND attempt_id IS NULL AND state IN ('waiting', 'deferred')
        LIMIT $3";

    /// Letters that wait until an account is found for them, with the login that handed them in.
    LIST_WITHOUT_ACCOUNT = "
        SELECT DISTINCT d.submission_id, s.login_id
        FROM delivery d
        JOIN submission s ON s.organisation_id = d.organisation_id AND s.id = d.submission_id
        WHERE d.organisation_id = $1 AND d.state = 'held' AND d.because = 'no_account'
            AND d.state IN ('deferred', 'held', 'failed', 'cancelled') AND d.submission_id > $2
        ORDER BY d.submission_id
        LIMIT $3";

    /// Every try of one letter, oldest first.
    LIST_ATTEMPTS = "
        SELECT id, started_at
        FROM attempt
        WHERE organisation_id = $1 AND submission_id = $2
        ORDER BY id";

    /// What every try brought, oldest first.
    LIST_OUTCOMES = "
        SELECT attempt_id, ordinal, at, result, reply
        FROM outcome
        WHERE organisation_id = $1 AND submission_id = $2
        ORDER BY attempt_id, ordinal";

    /// Finished letters whose bodies are past their retention.
    LIST_TO_ERASE = "
        SELECT organisation_id, id
        FROM submission
        WHERE finished_at IS NOT NULL AND body_erased_at IS NULL AND finished_at <= $1
        ORDER BY finished_at
        LIMIT $2";

    /// Marks a body as erased, if its letter is still finished.
    MARK_ERASED = "
        UPDATE submission
        SET body_erased_at = $3
        WHERE organisation_id = $1 AND id = $2 AND finished_at IS NOT NULL AND finished_at <= $4";
}
