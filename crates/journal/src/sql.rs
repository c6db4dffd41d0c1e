//! Every statement of this room.

gatepost_store::statements! {
    /// How many notices of a kind a person was written lately.
    COUNT_NOTICES = "
        SELECT COUNT(*)
        FROM notice
        WHERE organisation_id = $1 AND person_id = $2 AND kind = $3 AND created_at > $4";

    /// A notice to be carried out.
    INSERT_NOTICE = "
        INSERT INTO notice
            (id, organisation_id, kind, person_id, addresses, link_id, details, created_at, next_try_at, n_tries)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8, 0)";

    /// Notices of all organisations that are due. A time beyond the horizon was written before the clock was set back.
    LIST_DUE_NOTICES = "
        SELECT organisation_id, id, n_tries
        FROM notice
        WHERE done_at IS NULL AND (next_try_at <= $1 OR next_try_at > $2)
        ORDER BY next_try_at
        LIMIT $3";

    /// Takes a due notice in hand, unless another has.
    TAKE_NOTICE = "
        UPDATE notice
        SET n_tries = n_tries + 1, next_try_at = $4
        WHERE organisation_id = $1 AND id = $2 AND n_tries = $3 AND done_at IS NULL
            AND (next_try_at <= $5 OR next_try_at > $6)";

    /// What a notice says.
    FIND_NOTICE = "
        SELECT kind, person_id, addresses, link_id, details, created_at, because
        FROM notice
        WHERE organisation_id = $1 AND id = $2";

    /// A notice waits.
    PUT_NOTICE_OFF = "
        UPDATE notice
        SET n_tries = $3, next_try_at = $4, because = $5
        WHERE organisation_id = $1 AND id = $2 AND done_at IS NULL";

    /// A notice is in the outbox, or given up.
    END_NOTICE = "
        UPDATE notice
        SET done_at = $3, because = $4
        WHERE organisation_id = $1 AND id = $2 AND done_at IS NULL";

    /// A person's newest notices.
    LIST_NOTICES = "
        SELECT id, kind, addresses, created_at, next_try_at, done_at, because
        FROM notice
        WHERE organisation_id = $1 AND person_id = $2
        ORDER BY id DESC
        LIMIT $3";

    /// One thing that happened.
    INSERT_ENTRY = "
        INSERT INTO journal
            (id, organisation_id, node_id, at, actor, actor_id, action, subject, subject_id, details)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";

    /// The newest entries of an organisation.
    LIST_ENTRIES = "
        SELECT at, actor, actor_id, action, subject, subject_id, details
        FROM journal
        WHERE organisation_id = $1
        ORDER BY id DESC
        LIMIT $2";

    /// The newest entries about one thing.
    LIST_ENTRIES_ABOUT = "
        SELECT at, actor, actor_id, action, subject, subject_id, details
        FROM journal
        WHERE organisation_id = $1 AND subject_id = $2
        ORDER BY id DESC
        LIMIT $3";

    /// Notices whose fate is old.
    SWEEP_NOTICES = "
        DELETE FROM notice
        WHERE done_at < $1";
}
