//! Every statement of this room.

gatepost_store::statements! {
    /// A new organisation.
    INSERT_ORGANISATION = "
        INSERT INTO organisation (id, name, epoch, created_at)
        VALUES ($1, $2, 0, $3)";

    /// All organisations, oldest first.
    LIST_ORGANISATIONS = "
        SELECT id, name, epoch, created_at
        FROM organisation
        ORDER BY created_at, id
        LIMIT 100000";

    /// One organisation by its name as it was given.
    FIND_ORGANISATION = "
        SELECT id, name, epoch, created_at
        FROM organisation
        WHERE name = $1
        ORDER BY created_at
        LIMIT 1";

    /// A revocation: nodes that compare epochs look again.
    RAISE_EPOCH = "
        UPDATE organisation
        SET epoch = epoch + 1
        WHERE id = $1";

    /// How far each organisation's revocations have come.
    LIST_EPOCHS = "
        SELECT id, epoch
        FROM organisation
        LIMIT 100000";

    /// A new location, unless its slug is taken.
    INSERT_LOCATION = "
        INSERT INTO location (id, organisation_id, name, slug, created_at)
        VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT (organisation_id, slug) DO NOTHING";

    /// One location by its name as it was given.
    FIND_LOCATION = "
        SELECT id, organisation_id, name, slug, created_at
        FROM location
        WHERE organisation_id = $1 AND name = $2
        ORDER BY created_at
        LIMIT 1";

    /// A new person, unless somebody has that address.
    INSERT_PERSON = "
        INSERT INTO person (id, organisation_id, address, name, role, home_location_id, created_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7)
        ON CONFLICT (address) DO NOTHING";

    /// One person by address.
    FIND_PERSON = "
        SELECT id, organisation_id, address, name, role, home_location_id, created_at, disabled_at
        FROM person
        WHERE organisation_id = $1 AND address = $2";

    /// A new login, unless its user name or its target has one.
    INSERT_LOGIN = "
        INSERT INTO login (id, organisation_id, user_name, target, target_id, created_at)
        VALUES ($1, $2, $3, $4, $5, $6)
        ON CONFLICT DO NOTHING";

    /// The login of a target.
    FIND_LOGIN_OF_TARGET = "
        SELECT id, organisation_id, user_name, target, target_id, created_at, disabled_at
        FROM login
        WHERE organisation_id = $1 AND target = $2 AND target_id = $3";

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
        SET target_id = $3, disabled_at = NULL
        WHERE organisation_id = $1 AND id = $2 AND disabled_at IS NOT NULL";

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

    /// How many app passwords of a login are not removed.
    COUNT_APP_PASSWORDS = "
        SELECT COUNT(*)
        FROM app_password
        WHERE organisation_id = $1 AND login_id = $2 AND revoked_at IS NULL";

    /// A new app password.
    INSERT_APP_PASSWORD = "
        INSERT INTO app_password
            (id, organisation_id, login_id, name, digest, key_id, allowed, networks, send_as, repairs_line_ends,
            created_at, expires_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";

    /// All app passwords of an organisation that are not removed, with their user names.
    LIST_APP_PASSWORDS = "
        SELECT a.id, a.organisation_id, a.login_id, l.user_name, a.name, a.allowed, a.networks, a.send_as,
            a.repairs_line_ends, a.created_at, a.expires_at, a.last_used_at, a.last_used_from, a.last_used_protocol
        FROM app_password a
        JOIN login l ON l.id = a.login_id AND l.organisation_id = a.organisation_id
        WHERE a.organisation_id = $1 AND a.revoked_at IS NULL
        ORDER BY l.user_name, a.created_at, a.id
        LIMIT 100000";

    /// Removes one app password, once.
    REVOKE_APP_PASSWORD = "
        UPDATE app_password
        SET revoked_at = $3
        WHERE organisation_id = $1 AND id = $2 AND revoked_at IS NULL";

    /// Removes all app passwords of a login.
    REVOKE_ALL_OF_LOGIN = "
        UPDATE app_password
        SET revoked_at = $3
        WHERE organisation_id = $1 AND login_id = $2 AND revoked_at IS NULL";

    /// Whether an app password is there, removed or not.
    FIND_APP_PASSWORD_NAME = "
        SELECT name
        FROM app_password
        WHERE organisation_id = $1 AND id = $2";

    /// Who signs in by that user name. No organisation is known at this point: the user name decides it.
    FIND_LOGIN_BY_USER_NAME = "
        SELECT l.id, l.organisation_id, l.user_name, l.target, l.target_id, l.disabled_at, o.epoch,
            p.home_location_id, p.disabled_at
        FROM login l
        JOIN organisation o ON o.id = l.organisation_id
        LEFT JOIN person p ON l.target = 'person' AND p.id = l.target_id AND p.organisation_id = l.organisation_id
        WHERE l.user_name = $1";

    /// The app password of a login by its digest; the living one first.
    FIND_APP_PASSWORD_BY_DIGEST = "
        SELECT id, allowed, networks, send_as, repairs_line_ends, expires_at, revoked_at
        FROM app_password
        WHERE login_id = $1 AND digest = $2
        ORDER BY CASE WHEN revoked_at IS NULL THEN 0 ELSE 1 END
        LIMIT 1";

    /// Whether what signed in with an app password may stay.
    FIND_LIVING_APP_PASSWORD = "
        SELECT a.id
        FROM app_password a
        JOIN login l ON l.id = a.login_id AND l.organisation_id = a.organisation_id
        LEFT JOIN person p ON l.target = 'person' AND p.id = l.target_id AND p.organisation_id = l.organisation_id
        WHERE a.organisation_id = $1 AND a.id = $2 AND a.revoked_at IS NULL AND l.disabled_at IS NULL
            AND p.disabled_at IS NULL";

    /// Where logins were used from lately, newest first.
    LIST_LAST_USES = "
        SELECT l.user_name, a.last_used_from, a.last_used_at
        FROM app_password a
        JOIN login l ON l.id = a.login_id AND l.organisation_id = a.organisation_id
        WHERE a.last_used_at IS NOT NULL AND a.last_used_at > $1
        ORDER BY a.last_used_at DESC
        LIMIT 20000";

    /// When, from where and for what an app password was last used. An older use never replaces a newer one.
    RECORD_LAST_USE = "
        UPDATE app_password
        SET last_used_at = $3, last_used_from = $4, last_used_protocol = $5
        WHERE organisation_id = $1 AND id = $2 AND (last_used_at IS NULL OR last_used_at < $3)";
}
