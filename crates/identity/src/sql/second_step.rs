//! Statements of two-step verification, of contacts, and of the page that shows both.

gatepost_store::statements! {
    /// Two-step verification is on since then, or off.
    SET_TWO_STEP = "
        UPDATE person
        SET two_step_at = $3
        WHERE organisation_id = $1 AND id = $2";

    /// An authenticator is being set up.
    INSERT_AUTHENTICATOR = "
        INSERT INTO authenticator (id, organisation_id, person_id, kind, name, secret_sealed, last_step, created_at,
            begun_by)
        VALUES ($1, $2, $3, 'totp', $4, $5, 0, $6, $7)";

    /// The authenticators of a person: the active one first, then the one that is being set up.
    LIST_AUTHENTICATORS = "
        SELECT id, secret_sealed, last_step, created_at, proven_at, active_at, last_used_at, name,
            begun_by, disabled_at
        FROM authenticator
        WHERE organisation_id = $1 AND person_id = $2 AND kind = 'totp'
        ORDER BY CASE WHEN active_at IS NULL THEN 1 ELSE 0 END, created_at DESC, id
        LIMIT 100";

    /// The first code of an authenticator was right; its step is spent.
    PROVE_AUTHENTICATOR = "
        UPDATE authenticator
        SET proven_at = $3, last_step = $4
        WHERE organisation_id = $1 AND id = $2 AND proven_at IS NULL AND last_step < $4";

    /// A proven authenticator counts from now on.
    ACTIVATE_AUTHENTICATOR = "
        UPDATE authenticator
        SET active_at = $3
        WHERE organisation_id = $1 AND id = $2 AND proven_at IS NOT NULL AND active_at IS NULL";

    /// A step is spent, once: of many at the same moment one finds it unspent (ID-13).
    SPEND_STEP = "
        UPDATE authenticator
        SET last_step = $3, last_used_at = $4
        WHERE organisation_id = $1 AND id = $2 AND active_at IS NOT NULL AND disabled_at IS NULL
            AND last_step < $3";

    /// A hundred misses: it opens nothing until another one is set up.
    DISABLE_AUTHENTICATOR = "
        UPDATE authenticator
        SET disabled_at = $3
        WHERE organisation_id = $1 AND id = $2 AND disabled_at IS NULL";

    /// What was begun is begun anew.
    DELETE_BEGUN_AUTHENTICATORS = "
        DELETE FROM authenticator
        WHERE organisation_id = $1 AND person_id = $2 AND active_at IS NULL";

    /// Forgets all authenticators of a person but one; a nil id is none.
    DELETE_AUTHENTICATORS_BUT = "
        DELETE FROM authenticator
        WHERE organisation_id = $1 AND person_id = $2 AND id <> $3
        RETURNING id";

    /// One code of a new set.
    INSERT_RECOVERY_CODE = "
        INSERT INTO recovery_code (person_id, set_id, ordinal, organisation_id, digest, created_at, begun_by)
        VALUES ($1, $2, $3, $4, $5, $6, $7)";

    /// The set of a code that was typed back, of those that do not count yet and were made in this session's lineage.
    FIND_NEW_RECOVERY_CODE = "
        SELECT set_id
        FROM recovery_code
        WHERE organisation_id = $1 AND person_id = $2 AND digest = $3 AND begun_by = $4 AND active_at IS NULL";

    /// Whether such a code was ever one that counts.
    FIND_RECOVERY_CODE = "
        SELECT used_at
        FROM recovery_code
        WHERE organisation_id = $1 AND person_id = $2 AND digest = $3 AND active_at IS NOT NULL";

    /// A set counts from now on.
    ACTIVATE_RECOVERY_CODES = "
        UPDATE recovery_code
        SET active_at = $4
        WHERE organisation_id = $1 AND person_id = $2 AND set_id = $3";

    /// A code is spent, once.
    SPEND_RECOVERY_CODE = "
        UPDATE recovery_code
        SET used_at = $4
        WHERE organisation_id = $1 AND person_id = $2 AND digest = $3 AND active_at IS NOT NULL AND used_at IS NULL";

    /// How many codes count, and how many of them are not spent.
    COUNT_RECOVERY_CODES = "
        SELECT COUNT(*), COUNT(*) - COUNT(used_at)
        FROM recovery_code
        WHERE organisation_id = $1 AND person_id = $2 AND active_at IS NOT NULL";

    /// Sets that were made and never typed back.
    DELETE_NEW_RECOVERY_CODES = "
        DELETE FROM recovery_code
        WHERE organisation_id = $1 AND person_id = $2 AND active_at IS NULL";

    /// All sets but one; a nil id is none.
    DELETE_RECOVERY_CODES_BUT = "
        DELETE FROM recovery_code
        WHERE organisation_id = $1 AND person_id = $2 AND set_id <> $3";

    // What the security page shows.

    /// When the password was last changed.
    FIND_PASSWORD_CHANGE = "
        SELECT changed_at
        FROM password
        WHERE organisation_id = $1 AND person_id = $2";

    /// Contacts of a person, oldest first.
    LIST_CONTACTS = "
        SELECT id, kind, value, created_at, proven_at
        FROM contact
        WHERE organisation_id = $1 AND person_id = $2
        ORDER BY created_at, id
        LIMIT 100";

    /// Devices that a person has signed in with, and until when they are not asked for the second step.
    LIST_DEVICES = "
        SELECT d.id, d.device, d.source, d.created_at, d.last_used_at,
            CASE WHEN d.epoch = p.epoch AND d.trusted_until > $3 AND d.trusted_at <= $4 AND p.two_step_at IS NOT NULL
                THEN d.trusted_until END
        FROM device d
        JOIN person p ON p.id = d.person_id AND p.organisation_id = d.organisation_id
        WHERE d.organisation_id = $1 AND d.person_id = $2 AND d.revoked_at IS NULL
        ORDER BY d.last_used_at DESC, d.id
        LIMIT 100";

    /// Sessions that nothing has ended, the last used first.
    LIST_OPEN_SESSIONS = "
        SELECT s.id, s.device, s.source, s.created_at, s.active_at, s.is_lasting
        FROM session s
        JOIN person p ON p.id = s.person_id AND p.organisation_id = s.organisation_id AND p.epoch = s.epoch
        WHERE s.organisation_id = $1 AND s.person_id = $2 AND s.ended_at IS NULL AND p.disabled_at IS NULL
        ORDER BY s.active_at DESC, s.id
        LIMIT 1000";

    /// A further way to reach a person.
    INSERT_CONTACT = "
        INSERT INTO contact (id, organisation_id, person_id, kind, value, created_at, proven_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7)
        ON CONFLICT (person_id, kind, value) DO NOTHING";

    /// One way less.
    DELETE_CONTACT = "
        DELETE FROM contact
        WHERE organisation_id = $1 AND person_id = $2 AND id = $3";

    /// What a person signed in with until now.
    INSERT_FORMER_ADDRESS = "
        INSERT INTO former_address (id, organisation_id, person_id, value, until_at)
        VALUES ($1, $2, $3, $4, $5)";

    /// What a person signed in with before, of what was changed within a span; oldest first.
    LIST_FORMER_ADDRESSES = "
        SELECT value
        FROM former_address
        WHERE organisation_id = $1 AND person_id = $2 AND until_at > $3 AND until_at <= $4
        ORDER BY until_at, id
        LIMIT 1000";

    /// Taken back: there is nothing to go back to.
    DELETE_FORMER_ADDRESSES = "
        DELETE FROM former_address
        WHERE organisation_id = $1 AND person_id = $2";

    /// Another address to sign in with.
    UPDATE_ADDRESS = "
        UPDATE person
        SET address = $3
        WHERE organisation_id = $1 AND id = $2";
}
