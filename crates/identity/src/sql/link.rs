//! Statements of links.

gatepost_store::statements! {
    /// The links of a person who is gone.
    DELETE_LINKS_OF = "
        DELETE FROM link
        WHERE organisation_id = $1 AND person_id = $2";

    /// Ends all links of a person.
    END_LINKS = "
        UPDATE link
        SET used_at = $3
        WHERE organisation_id = $1 AND person_id = $2 AND used_at IS NULL";

    /// Ends the links of one kind.
    END_LINKS_OF_KIND = "
        UPDATE link
        SET used_at = $4
        WHERE organisation_id = $1 AND person_id = $2 AND kind = $3 AND used_at IS NULL";

    /// A new link of a person, in their epoch. It has no token yet.
    INSERT_LINK = "
        INSERT INTO link (id, organisation_id, person_id, kind, details, created_at, expires_at, salt, epoch)
        SELECT $1, $2, $3, $4, $5, $6, $7, $8, p.epoch
        FROM person p
        WHERE p.organisation_id = $2 AND p.id = $3";

    /// What a token of a link opens, with whom it is for and where they belong.
    FIND_LINK = "
        SELECT p.id, p.organisation_id, p.address, p.name, p.role, p.home_location_id, p.created_at, p.disabled_at,
            w.person_id IS NOT NULL, p.two_step_at, p.signed_in_at, l.id, l.kind, l.details, l.expires_at, l.used_at,
            o.name, l.epoch = p.epoch
        FROM link l
        JOIN person p ON p.id = l.person_id AND p.organisation_id = l.organisation_id
        JOIN organisation o ON o.id = l.organisation_id
        LEFT JOIN password w ON w.person_id = p.id AND w.organisation_id = p.organisation_id
        WHERE l.digest = $1";

    /// Uses a link up, once, not for somebody who is disabled, and not after what ends a link to a password.
    CONSUME_LINK = "
        UPDATE link
        SET used_at = $2
        WHERE digest = $1 AND used_at IS NULL AND expires_at > $2
            AND EXISTS (
                SELECT 1
                FROM person p
                WHERE p.id = link.person_id AND p.organisation_id = link.organisation_id AND p.disabled_at IS NULL
                    AND (p.epoch = link.epoch OR link.kind IN ('not_me', 'contact')))";

    /// The links of a person that lead to a password: using one ends the others.
    END_PASSWORD_LINKS = "
        UPDATE link
        SET used_at = $3
        WHERE organisation_id = $1 AND person_id = $2 AND kind IN ('set_up', 'invitation', 'password_reset')
            AND used_at IS NULL";

    /// The salt of a link that is alive.
    FIND_LINK_SALT = "
        SELECT l.salt
        FROM link l
        JOIN person p ON p.id = l.person_id AND p.organisation_id = l.organisation_id
        WHERE l.organisation_id = $1 AND l.id = $2 AND l.used_at IS NULL AND l.expires_at > $3
            AND p.disabled_at IS NULL AND (p.epoch = l.epoch OR l.kind IN ('not_me', 'contact'))";

    /// A link that is handed over, dead or alive, by the id that its form has chosen.
    FIND_HANDED_LINK = "
        SELECT expires_at
        FROM link
        WHERE organisation_id = $1 AND person_id = $2 AND id = $3 AND kind IN ('set_up', 'invitation', 'password_reset')";

    /// The newest link of a kind that is alive.
    FIND_LIVING_LINK = "
        SELECT l.id, l.expires_at
        FROM link l
        JOIN person p ON p.id = l.person_id AND p.organisation_id = l.organisation_id AND p.epoch = l.epoch
        WHERE l.organisation_id = $1 AND l.person_id = $2 AND l.kind = $3 AND l.used_at IS NULL AND l.expires_at > $4
        ORDER BY l.created_at DESC, l.id DESC
        LIMIT 1";

    /// The token of a link is given out; it is the same each time.
    SET_LINK_DIGEST = "
        UPDATE link
        SET digest = $3
        WHERE organisation_id = $1 AND id = $2 AND digest IS NULL";

    /// How many links of a kind were made for a person since then.
    COUNT_LINKS = "
        SELECT COUNT(*)
        FROM link
        WHERE organisation_id = $1 AND person_id = $2 AND kind = $3 AND created_at > $4 AND created_at <= $5";

    /// How many links of a kind a person has that would still open.
    COUNT_LIVING_LINKS = "
        SELECT COUNT(*)
        FROM link
        WHERE organisation_id = $1 AND person_id = $2 AND kind = $3 AND used_at IS NULL AND created_at <= $4
            AND expires_at > $4";
}
