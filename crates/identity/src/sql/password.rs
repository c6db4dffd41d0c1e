//! Statements of passwords, and of misses.

gatepost_store::statements! {
    /// Somebody, or nobody, asked for a link: one row is written, whoever it was.
    RECORD_ASKING = "
        INSERT INTO miss (subject, bucket, n, last_at, wait_until)
        VALUES ($1, $2, 0, $3, 0)
        ON CONFLICT (subject, bucket) DO UPDATE
        SET last_at = excluded.last_at";

    /// A password, the first or the next.
    SET_PASSWORD = "
        INSERT INTO password (person_id, organisation_id, hash, key_id, changed_at)
        VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT (person_id) DO UPDATE
        SET hash = excluded.hash, key_id = excluded.key_id, changed_at = excluded.changed_at, disabled_at = NULL";

    /// The same password with other settings, unless it was changed meanwhile.
    REHASH_PASSWORD = "
        UPDATE password
        SET hash = $4, key_id = $5
        WHERE organisation_id = $1 AND person_id = $2 AND hash = $3";

    /// Counts a miss unless there is one to wait for; the delays are ID-7's, from the fifth in a row. What lies further ahead than any
    /// of them, and than the clocks of two nodes differ, was written before the clock was set back.
    COUNT_MISS = "
        INSERT INTO miss (subject, bucket, n, last_at, wait_until)
        VALUES ($1, $2, 1, $3, 0)
        ON CONFLICT (subject, bucket) DO UPDATE
        SET n = miss.n + 1, last_at = excluded.last_at,
            wait_until = CASE
                WHEN miss.n < 4 THEN 0
                WHEN miss.n = 4 THEN excluded.last_at + 30000
                WHEN miss.n = 5 THEN excluded.last_at + 60000
                WHEN miss.n = 6 THEN excluded.last_at + 120000
                WHEN miss.n = 7 THEN excluded.last_at + 240000
                WHEN miss.n = 8 THEN excluded.last_at + 480000
                WHEN miss.n = 9 THEN excluded.last_at + 960000
                WHEN miss.n = 10 THEN excluded.last_at + 1920000
                ELSE excluded.last_at + 3600000
            END
        WHERE miss.wait_until <= excluded.last_at OR miss.wait_until > excluded.last_at + 3630000";

    /// All misses of a subject, on whatever device.
    SUM_MISSES = "
        SELECT CAST(COALESCE(SUM(n), 0) AS BIGINT)
        FROM miss
        WHERE subject = $1";

    /// A hundred misses: the password opens nothing until another is chosen.
    DISABLE_PASSWORD = "
        UPDATE password
        SET disabled_at = $3
        WHERE organisation_id = $1 AND person_id = $2 AND disabled_at IS NULL";

    /// What there is to wait for.
    FIND_MISS = "
        SELECT wait_until, n_wrong, last_at
        FROM miss
        WHERE subject = $1 AND bucket = $2";

    /// A try that was counted was found wrong.
    RECORD_MISS = "
        UPDATE miss
        SET n_wrong = n_wrong + 1
        WHERE subject = $1 AND bucket = $2";

    /// Counts a right password: ten at once, then one a minute, by the time until which they are used up. That a clock which was set
    /// back has left further ahead counts as none.
    COUNT_RIGHT = "
        INSERT INTO miss (subject, bucket, n, last_at, wait_until)
        VALUES ($1, $2, 0, $3, $4)
        ON CONFLICT (subject, bucket) DO UPDATE
        SET last_at = excluded.last_at,
            wait_until = CASE
                WHEN miss.wait_until > excluded.last_at AND miss.wait_until <= excluded.last_at + 630000
                    THEN miss.wait_until + 60000
                ELSE excluded.last_at + 60000
            END
        WHERE miss.wait_until <= excluded.last_at + 540000 OR miss.wait_until > excluded.last_at + 630000";

    /// Misses in a row, for this transaction alone.
    LOCK_MISS = locking "
        SELECT n
        FROM miss
        WHERE subject = $1 AND bucket = $2";

    /// It was right: the count begins anew.
    FORGIVE_MISSES = "
        UPDATE miss
        SET n = 0, n_wrong = 0, wait_until = 0
        WHERE subject = $1 AND bucket = $2";

    /// Nobody looked: one miss less.
    TAKE_MISS_BACK = "
        UPDATE miss
        SET n = n - 1, wait_until = 0
        WHERE subject = $1 AND bucket = $2 AND n > 0";

    /// As much work as a journal entry, for an address that nobody has.
    TOUCH_MISS = "
        UPDATE miss
        SET last_at = $3
        WHERE subject = $1 AND bucket = $2";

    /// Enrolled anew: no misses.
    CLEAR_MISSES = "
        DELETE FROM miss
        WHERE subject = $1";
}
