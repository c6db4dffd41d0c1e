//! Every statement of this room.

pub(crate) mod second_step;
pub(crate) mod session;

pub(crate) use second_step::*;
pub(crate) use session::*;

gatepost_store::statements! {
    /// A new organisation.
    INSERT_ORGANISATION = "
        INSERT INTO organisation (id, name, epoch, created_at)
        VALUES ($1, $2, 0, $3)";

    /// All organisations, oldest first.
    LIST_ORGANISATIONS = "
        SELECT id, name, epoch, created_at, set_up_at
        FROM organisation
        ORDER BY created_at, id
        LIMIT 100000";

    /// One organisation.
    FIND_ORGANISATION_BY_ID = "
        SELECT id, name, epoch, created_at, set_up_at
        FROM organisation
        WHERE id = $1";

    /// One organisation by its name as it was given.
    FIND_ORGANISATION = "
        SELECT id, name, epoch, created_at, set_up_at
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
        SELECT p.id, p.organisation_id, p.address, p.name, p.role, p.home_location_id, p.created_at, p.disabled_at,
            w.person_id IS NOT NULL, p.two_step_at, p.signed_in_at
        FROM person p
        LEFT JOIN password w ON w.person_id = p.id AND w.organisation_id = p.organisation_id
        WHERE p.organisation_id = $1 AND p.address = $2";

    /// One person by id.
    FIND_PERSON_BY_ID = "
        SELECT p.id, p.organisation_id, p.address, p.name, p.role, p.home_location_id, p.created_at, p.disabled_at,
            w.person_id IS NOT NULL, p.two_step_at, p.signed_in_at
        FROM person p
        LEFT JOIN password w ON w.person_id = p.id AND w.organisation_id = p.organisation_id
        WHERE p.organisation_id = $1 AND p.id = $2";

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

    // What administrators do with people and locations.

    /// One organisation, for this transaction alone: whoever counts its administrators must be alone.
    LOCK_ORGANISATION = locking "
        SELECT name
        FROM organisation
        WHERE id = $1";

    /// The name is the organisation's from now on, and its set-up is over.
    SET_ORGANISATION_UP = "
        UPDATE organisation
        SET name = $2, set_up_at = COALESCE(set_up_at, $3)
        WHERE id = $1";

    /// All people of an organisation.
    LIST_PEOPLE = "
        SELECT p.id, p.organisation_id, p.address, p.name, p.role, p.home_location_id, p.created_at, p.disabled_at,
            w.person_id IS NOT NULL, p.two_step_at, p.signed_in_at
        FROM person p
        LEFT JOIN password w ON w.person_id = p.id AND w.organisation_id = p.organisation_id
        WHERE p.organisation_id = $1
        ORDER BY p.address
        LIMIT 100000";

    /// The administrators who are not disabled, and whether they can sign in as such: with a password and two-step verification.
    LIST_ADMINISTRATORS = "
        SELECT p.id, p.organisation_id, p.address, p.name, p.role, p.home_location_id, p.created_at, p.disabled_at,
            w.person_id IS NOT NULL, p.two_step_at, p.signed_in_at,
            w.person_id IS NOT NULL AND w.disabled_at IS NULL AND p.two_step_at IS NOT NULL
        FROM person p
        LEFT JOIN password w ON w.person_id = p.id AND w.organisation_id = p.organisation_id
        WHERE p.organisation_id = $1 AND p.role = 'administrator' AND p.disabled_at IS NULL
        ORDER BY p.created_at, p.id
        LIMIT 10000";

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

    /// A person who never chose a password is gone, and their address is free.
    DELETE_PERSON = "
        DELETE FROM person
        WHERE organisation_id = $1 AND id = $2
            AND NOT EXISTS (SELECT 1 FROM password w WHERE w.person_id = person.id)";

    /// The links of a person who is gone.
    DELETE_LINKS_OF = "
        DELETE FROM link
        WHERE organisation_id = $1 AND person_id = $2";

    /// The ways to reach a person who is gone.
    DELETE_CONTACTS = "
        DELETE FROM contact
        WHERE organisation_id = $1 AND person_id = $2";

    /// A letter that invites them is on its way.
    UPDATE_INVITED = "
        UPDATE person
        SET invited_at = $3
        WHERE organisation_id = $1 AND id = $2";

    /// Another name and home location.
    UPDATE_PERSON = "
        UPDATE person
        SET name = $3, home_location_id = $4
        WHERE organisation_id = $1 AND id = $2";

    /// Another role.
    UPDATE_ROLE = "
        UPDATE person
        SET role = $3
        WHERE organisation_id = $1 AND id = $2";

    /// They may not sign in any more.
    DISABLE_PERSON = "
        UPDATE person
        SET disabled_at = $3
        WHERE organisation_id = $1 AND id = $2 AND disabled_at IS NULL";

    /// They may sign in again.
    ENABLE_PERSON = "
        UPDATE person
        SET disabled_at = NULL
        WHERE organisation_id = $1 AND id = $2 AND disabled_at IS NOT NULL";

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



    /// All locations of an organisation.
    LIST_LOCATIONS = "
        SELECT id, organisation_id, name, slug, created_at
        FROM location
        WHERE organisation_id = $1
        ORDER BY created_at, id
        LIMIT 10000";

    /// One location by its id.
    FIND_LOCATION_BY_ID = "
        SELECT id, organisation_id, name, slug, created_at
        FROM location
        WHERE organisation_id = $1 AND id = $2";

    /// Another name. The slug stays, because the user name of the login does.
    RENAME_LOCATION = "
        UPDATE location
        SET name = $3
        WHERE organisation_id = $1 AND id = $2";

    /// What the letters of an app password give, for comparing an entry under another user name with it.
    FIND_APP_PASSWORD_DIGEST = "
        SELECT a.digest, l.user_name
        FROM app_password a
        JOIN login l ON l.id = a.login_id AND l.organisation_id = a.organisation_id
        WHERE a.organisation_id = $1 AND a.login_id = $2 AND a.id = $3 AND a.revoked_at IS NULL";

    /// Who signs in by that user name. No organisation is known at this point: the user name decides it.
    FIND_LOGIN_BY_USER_NAME = "
        SELECT l.id, l.organisation_id, l.user_name, l.target, l.target_id, l.disabled_at, o.epoch,
            p.home_location_id, l.person_id IS NOT NULL AND (p.id IS NULL OR p.disabled_at IS NOT NULL)
        FROM login l
        JOIN organisation o ON o.id = l.organisation_id
        LEFT JOIN person p ON p.id = l.person_id AND p.organisation_id = l.organisation_id
        WHERE l.user_name = $1";

    /// The app password of a login by its digest; the living one first.
    FIND_APP_PASSWORD_BY_DIGEST = "
        SELECT id, allowed, networks, send_as, repairs_line_ends, expires_at, revoked_at
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

    // People: links.

    /// The addresses that a person's notices go to beside the one they sign in with.
    LIST_PROVEN_ADDRESSES = "
        SELECT value
        FROM contact
        WHERE organisation_id = $1 AND person_id = $2 AND kind = 'address' AND proven_at IS NOT NULL
        ORDER BY created_at, id
        LIMIT 100";

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

    /// Somebody, or nobody, asked for a link: one row is written, whoever it was.
    RECORD_ASKING = "
        INSERT INTO miss (subject, bucket, n, last_at, wait_until)
        VALUES ($1, $2, 0, $3, 0)
        ON CONFLICT (subject, bucket) DO UPDATE
        SET last_at = excluded.last_at";

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

    /// An address is the person's own from now on.
    PROVE_CONTACT = "
        UPDATE contact
        SET proven_at = $4
        WHERE organisation_id = $1 AND person_id = $2 AND id = $3 AND proven_at IS NULL";

    /// One contact of a person.
    FIND_CONTACT_BY_ID = "
        SELECT id, kind, value, created_at, proven_at
        FROM contact
        WHERE organisation_id = $1 AND person_id = $2 AND id = $3";

    // People: passwords and misses.

    /// Who has that address, in whatever organisation, and what proves it.
    FIND_CREDENTIAL = "
        SELECT p.id, p.organisation_id, p.address, p.name, p.role, p.home_location_id, p.created_at, p.disabled_at,
            w.person_id IS NOT NULL, p.two_step_at, p.signed_in_at, p.epoch, w.hash, w.key_id,
            w.disabled_at
        FROM person p
        LEFT JOIN password w ON w.person_id = p.id AND w.organisation_id = p.organisation_id
        WHERE p.address = $1";

    /// One person, for this transaction alone.
    LOCK_PERSON = locking "
        SELECT epoch
        FROM person
        WHERE organisation_id = $1 AND id = $2";

    /// The name of a person's organisation, which is no password.
    FIND_ORGANISATION_NAME = "
        SELECT name
        FROM organisation
        WHERE id = $1";

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
