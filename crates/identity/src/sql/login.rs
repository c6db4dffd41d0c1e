//! Statements of logins.

gatepost_store::statements! {
    /// A new login, unless its user name or its target has one.
    INSERT_LOGIN = "
        INSERT INTO login (id, organisation_id, user_name, target, target_id, created_at, person_id)
        VALUES ($1, $2, $3, $4, $5, $6, $7)
        ON CONFLICT DO NOTHING";

    /// The login of a target.
    FIND_LOGIN_OF_TARGET = "
        SELECT id, organisation_id, user_name, target, target_id, created_at, disabled_at
        FROM login
        WHERE organisation_id = $1 AND target = $2 AND target_id = $3";

    /// All logins of an organisation that work.
    LIST_LOGINS = "
        SELECT id, organisation_id, user_name, target, target_id, created_at, disabled_at
        FROM login
        WHERE organisation_id = $1 AND disabled_at IS NULL
        ORDER BY user_name
        LIMIT 100000";

    /// A login, and for a person where they belong.
    FIND_LOGIN = "
        SELECT l.id, l.organisation_id, l.user_name, l.target, l.target_id, l.created_at, l.disabled_at,
            p.home_location_id
        FROM login l
        LEFT JOIN person p ON l.target = 'person' AND p.id = l.target_id AND p.organisation_id = l.organisation_id
        WHERE l.organisation_id = $1 AND l.id = $2";

    /// A retired login of this name, whose account was removed.
    FIND_RETIRED_LOGIN = "
        SELECT id, organisation_id, user_name, target, target_id, created_at, disabled_at
        FROM login
        WHERE organisation_id = $1 AND user_name = $2 AND target = $3 AND disabled_at IS NOT NULL";

    /// The retired login goes to a new account of the same address.
    REPOINT_LOGIN = "
        UPDATE login
        SET target_id = $3, person_id = $4, disabled_at = NULL
        WHERE organisation_id = $1 AND id = $2 AND disabled_at IS NOT NULL";

    /// Whose alone a login is, if it was somebody else's until now.
    SET_LOGIN_PERSON = "
        UPDATE login
        SET person_id = $3
        WHERE organisation_id = $1 AND id = $2 AND person_id IS DISTINCT FROM $3";

    /// The login works no more.
    DISABLE_LOGIN = "
        UPDATE login
        SET disabled_at = $3
        WHERE organisation_id = $1 AND id = $2 AND disabled_at IS NULL";

    /// One login, for this transaction alone: whoever counts its app passwords must be alone.
    LOCK_LOGIN = locking "
        SELECT id, organisation_id, user_name, target, target_id, created_at, disabled_at
        FROM login
        WHERE organisation_id = $1 AND id = $2";

    /// Who signs in by that user name. No organisation is known at this point: the user name decides it.
    FIND_LOGIN_BY_USER_NAME = "
        SELECT l.id, l.organisation_id, l.user_name, l.target, l.target_id, l.disabled_at, o.epoch,
            p.home_location_id, l.person_id IS NOT NULL AND (p.id IS NULL OR p.disabled_at IS NOT NULL)
        FROM login l
        JOIN organisation o ON o.id = l.organisation_id
        LEFT JOIN person p ON p.id = l.person_id AND p.organisation_id = l.organisation_id
        WHERE l.user_name = $1";
}
