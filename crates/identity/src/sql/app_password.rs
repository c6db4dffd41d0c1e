//! Statements of app passwords, and of what was used last.

gatepost_store::statements! {
    /// How many app passwords of a login are not removed. One whose successor is there does not count.
    COUNT_APP_PASSWORDS = "
        SELECT COUNT(*)
        FROM app_password a
        WHERE a.organisation_id = $1 AND a.login_id = $2 AND a.revoked_at IS NULL
            AND NOT (a.replaced_by IS NOT NULL AND a.expires_at <= $3)
            AND NOT EXISTS (
                SELECT 1
                FROM app_password s
                WHERE s.id = a.replaced_by AND s.organisation_id = a.organisation_id AND s.revoked_at IS NULL)";

    /// A new app password, unless it was made already.
    INSERT_APP_PASSWORD = "
        INSERT INTO app_password
            (id, organisation_id, login_id, name, digest, key_id, allowed, networks, send_as, repairs_line_ends,
            created_at, expires_at, application, device, created_by)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
        ON CONFLICT (id) DO NOTHING";

    /// All app passwords of an organisation that are not removed, with their user names. One that was replaced is removed when its
    /// overlap is over.
    LIST_APP_PASSWORDS = "
        SELECT a.id, a.organisation_id, a.login_id, l.user_name, a.name, a.allowed, a.networks, a.send_as,
            a.repairs_line_ends, a.created_at, a.expires_at, a.last_used_at, a.last_used_from, a.last_used_protocol,
            a.application, a.device, a.created_by, a.replaced_by
        FROM app_password a
        JOIN login l ON l.id = a.login_id AND l.organisation_id = a.organisation_id
        WHERE a.organisation_id = $1 AND a.revoked_at IS NULL
            AND NOT (a.replaced_by IS NOT NULL AND a.expires_at <= $2)
        ORDER BY l.user_name, a.created_at, a.id
        LIMIT 100000";

    /// The same of one login.
    LIST_APP_PASSWORDS_OF_LOGIN = "
        SELECT a.id, a.organisation_id, a.login_id, l.user_name, a.name, a.allowed, a.networks, a.send_as,
            a.repairs_line_ends, a.created_at, a.expires_at, a.last_used_at, a.last_used_from, a.last_used_protocol,
            a.application, a.device, a.created_by, a.replaced_by
        FROM app_password a
        JOIN login l ON l.id = a.login_id AND l.organisation_id = a.organisation_id
        WHERE a.organisation_id = $1 AND a.login_id = $3 AND a.revoked_at IS NULL
            AND NOT (a.replaced_by IS NOT NULL AND a.expires_at <= $2)
        ORDER BY a.created_at, a.id
        LIMIT 1000";

    /// The same of one app password.
    FIND_APP_PASSWORD = "
        SELECT a.id, a.organisation_id, a.login_id, l.user_name, a.name, a.allowed, a.networks, a.send_as,
            a.repairs_line_ends, a.created_at, a.expires_at, a.last_used_at, a.last_used_from, a.last_used_protocol,
            a.application, a.device, a.created_by, a.replaced_by
        FROM app_password a
        JOIN login l ON l.id = a.login_id AND l.organisation_id = a.organisation_id
        WHERE a.organisation_id = $1 AND a.id = $3 AND a.revoked_at IS NULL
            AND NOT (a.replaced_by IS NOT NULL AND a.expires_at <= $2)";

    /// The old one names its successor, and ends at the time given.
    REPLACE_APP_PASSWORD = "
        UPDATE app_password
        SET replaced_by = $3, expires_at = $4
        WHERE organisation_id = $1 AND id = $2 AND revoked_at IS NULL AND replaced_by IS NULL";

    /// Removes the one whose successor this is: of a row of successors, two work at most.
    REVOKE_PREDECESSOR = "
        UPDATE app_password
        SET revoked_at = $3
        WHERE organisation_id = $1 AND replaced_by = $2 AND revoked_at IS NULL";

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

    /// What opens a person's own logins.
    LIST_OWN_APP_PASSWORDS = "
        SELECT a.id
        FROM app_password a
        JOIN login l ON l.id = a.login_id AND l.organisation_id = a.organisation_id
        WHERE a.organisation_id = $1 AND a.revoked_at IS NULL AND l.person_id = $2
        LIMIT 100000";

    /// Whether an app password is there, removed or not.
    FIND_APP_PASSWORD_NAME = "
        SELECT name
        FROM app_password
        WHERE organisation_id = $1 AND id = $2";

    /// Whose an app password is, removed or not.
    FIND_LOGIN_OF_APP_PASSWORD = "
        SELECT login_id
        FROM app_password
        WHERE organisation_id = $1 AND id = $2";

    /// What a person made for others than themselves, of those that are not removed.
    LIST_APP_PASSWORDS_MADE_BY = "
        SELECT a.id, a.organisation_id, a.login_id, l.user_name, a.name, a.allowed, a.networks, a.send_as,
            a.repairs_line_ends, a.created_at, a.expires_at, a.last_used_at, a.last_used_from, a.last_used_protocol,
            a.application, a.device, a.created_by, a.replaced_by
        FROM app_password a
        JOIN login l ON l.id = a.login_id AND l.organisation_id = a.organisation_id
        WHERE a.organisation_id = $1 AND a.created_by = $3 AND a.revoked_at IS NULL
            AND NOT (a.replaced_by IS NOT NULL AND a.expires_at <= $2)
            AND l.person_id IS DISTINCT FROM $3
        ORDER BY l.user_name, a.created_at, a.id
        LIMIT 10000";

    /// What the letters of an app password give, for comparing an entry under another user name with it.
    FIND_APP_PASSWORD_DIGEST = "
        SELECT a.digest, l.user_name
        FROM app_password a
        JOIN login l ON l.id = a.login_id AND l.organisation_id = a.organisation_id
        WHERE a.organisation_id = $1 AND a.login_id = $2 AND a.id = $3 AND a.revoked_at IS NULL";

    /// The app password of a login by its digest; the living one first.
    FIND_APP_PASSWORD_BY_DIGEST = "
        SELECT id, allowed, networks, send_as, repairs_line_ends, expires_at, revoked_at, name
        FROM app_password
        WHERE login_id = $1 AND digest = $2
        ORDER BY CASE WHEN revoked_at IS NULL THEN 0 ELSE 1 END
        LIMIT 1";

    /// Whether what signed in with an app password may stay, and until when.
    FIND_LIVING_APP_PASSWORD = "
        SELECT a.expires_at
        FROM app_password a
        JOIN login l ON l.id = a.login_id AND l.organisation_id = a.organisation_id
        LEFT JOIN person p ON p.id = l.person_id AND p.organisation_id = l.organisation_id
        WHERE a.organisation_id = $1 AND a.id = $2 AND a.revoked_at IS NULL AND l.disabled_at IS NULL
            AND (l.person_id IS NULL OR p.id IS NOT NULL) AND p.disabled_at IS NULL";

    /// Where logins were used from lately, and where people signed in, newest first.
    LIST_LAST_USES = "
        SELECT l.user_name, a.last_used_from, a.last_used_at, FALSE
        FROM app_password a
        JOIN login l ON l.id = a.login_id AND l.organisation_id = a.organisation_id
        WHERE a.last_used_at IS NOT NULL AND a.last_used_at > $1
        UNION ALL
        SELECT p.address, s.source, s.active_at, TRUE
        FROM session s
        JOIN person p ON p.id = s.person_id AND p.organisation_id = s.organisation_id
        WHERE s.active_at > $1
        ORDER BY 3 DESC
        LIMIT 20000";

    /// When, from where and for what an app password was last used. An older use never replaces a newer one.
    RECORD_LAST_USE = "
        UPDATE app_password
        SET last_used_at = $3, last_used_from = $4, last_used_protocol = $5
        WHERE organisation_id = $1 AND id = $2 AND (last_used_at IS NULL OR last_used_at < $3)";
}
