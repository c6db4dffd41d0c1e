//! Statements of sessions, of what comes before them, of the devices they come by, and of sweeping.

gatepost_store::statements! {
    /// A new session, unless the person's epoch rose meanwhile.
    INSERT_SESSION = "
        INSERT INTO session
            (id, organisation_id, person_id, digest, epoch, source, device, is_lasting, is_single_factor, created_at,
            active_at, factor_at, proven_at, lineage_id, device_id)
        SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15
        FROM person p
        WHERE p.organisation_id = $2 AND p.id = $3 AND p.epoch = $5 AND p.disabled_at IS NULL";

    /// A session by its token, dead or alive, with whose it is.
    FIND_SESSION = "
        SELECT p.id, p.organisation_id, p.address, p.name, p.role, p.home_location_id, p.created_at, p.disabled_at,
            w.person_id IS NOT NULL, p.two_step_at, p.signed_in_at, s.id, s.epoch, p.epoch, s.is_lasting,
            s.is_single_factor, s.created_at, s.active_at, s.factor_at, s.proven_at, s.ended_at,
            s.lineage_id, s.device_id
        FROM session s
        JOIN person p ON p.id = s.person_id AND p.organisation_id = s.organisation_id
        LEFT JOIN password w ON w.person_id = p.id AND w.organisation_id = p.organisation_id
        WHERE s.digest = $1";

    /// The session that a line has come to; of a line that was ended none.
    FIND_SESSION_BY_LINEAGE = "
        SELECT p.id, p.organisation_id, p.address, p.name, p.role, p.home_location_id, p.created_at, p.disabled_at,
            w.person_id IS NOT NULL, p.two_step_at, p.signed_in_at, s.id, s.epoch, p.epoch, s.is_lasting,
            s.is_single_factor, s.created_at, s.active_at, s.factor_at, s.proven_at, s.ended_at,
            s.lineage_id, s.device_id
        FROM session s
        JOIN person p ON p.id = s.person_id AND p.organisation_id = s.organisation_id
        LEFT JOIN password w ON w.person_id = p.id AND w.organisation_id = p.organisation_id
        WHERE s.organisation_id = $1 AND s.person_id = $2 AND s.lineage_id = $3 AND s.ended_at IS NULL
        ORDER BY s.created_at DESC, s.id DESC
        LIMIT 1";

    /// Somebody is there. At most once a minute, and never backwards.
    TOUCH_SESSION = "
        UPDATE session
        SET active_at = $3
        WHERE organisation_id = $1 AND id = $2 AND active_at <= $4 AND ended_at IS NULL";

    /// A session makes way for the one that continues it.
    END_SESSION_FOR_NEXT = "
        UPDATE session
        SET ended_at = $5
        WHERE organisation_id = $1 AND person_id = $2 AND id = $3 AND epoch = $4 AND ended_at IS NULL
        RETURNING source, device, is_lasting, is_single_factor, created_at, factor_at, proven_at, device_id";

    /// Ends one session of a person.
    END_SESSION = "
        UPDATE session
        SET ended_at = $4
        WHERE organisation_id = $1 AND person_id = $2 AND id = $3 AND ended_at IS NULL";

    /// Ends all sessions of a person.
    END_ALL_SESSIONS = "
        UPDATE session
        SET ended_at = $3
        WHERE organisation_id = $1 AND person_id = $2 AND ended_at IS NULL";

    /// A person's security epoch rises.
    RAISE_PERSON_EPOCH = "
        UPDATE person
        SET epoch = epoch + 1
        WHERE organisation_id = $1 AND id = $2
        RETURNING epoch";

    /// The same on behalf of a session, unless that is over.
    RAISE_PERSON_EPOCH_FROM = "
        UPDATE person
        SET epoch = epoch + 1
        WHERE organisation_id = $1 AND id = $2 AND epoch = $3 AND disabled_at IS NULL
        RETURNING epoch";

    /// Somebody has signed in.
    RECORD_SIGN_IN = "
        UPDATE person
        SET signed_in_at = $3
        WHERE organisation_id = $1 AND id = $2";


    /// Between the two steps, unless the person's epoch rose meanwhile.
    INSERT_PRE_SESSION = "
        INSERT INTO pre_session
            (digest, organisation_id, person_id, epoch, source, device, created_at, expires_at, device_digest,
            is_known)
        SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10
        FROM person p
        WHERE p.organisation_id = $2 AND p.id = $3 AND p.epoch = $4 AND p.disabled_at IS NULL";

    /// The newest session of a person stays, and of the others first those that may be alive and came by a device that was known
    /// before, then those that were used last.
    CAP_SESSIONS = "
        UPDATE session
        SET ended_at = $3
        WHERE organisation_id = $1 AND person_id = $2 AND ended_at IS NULL AND id <> $5
            AND id NOT IN (
                SELECT s.id
                FROM session s
                LEFT JOIN device d ON d.id = s.device_id AND d.organisation_id = s.organisation_id
                    AND d.created_at < s.created_at
                WHERE s.organisation_id = $1 AND s.person_id = $2 AND s.ended_at IS NULL AND s.id <> $5
                ORDER BY CASE WHEN d.id IS NOT NULL AND (s.is_lasting OR s.active_at > $4) THEN 0 ELSE 1 END,
                    s.active_at DESC, s.id DESC
                LIMIT 49)";

    /// The newest pre-sessions of a person stay: of known devices as many as of unknown browsers.
    CAP_PRE_SESSIONS = "
        DELETE FROM pre_session
        WHERE organisation_id = $1 AND person_id = $2 AND is_known = $3
            AND digest NOT IN (
                SELECT s.digest
                FROM pre_session s
                WHERE s.organisation_id = $1 AND s.person_id = $2 AND s.is_known = $3
                ORDER BY s.created_at DESC, s.digest
                LIMIT 10)";

    /// Who is between the two steps, dead or alive, and what they can show.
    FIND_PRE_SESSION = "
        SELECT p.id, p.organisation_id, p.address, p.name, p.role, p.home_location_id, p.created_at, p.disabled_at,
            w.person_id IS NOT NULL, p.two_step_at, p.signed_in_at, s.epoch, p.epoch, s.expires_at,
            EXISTS (SELECT 1 FROM authenticator a
                WHERE a.organisation_id = p.organisation_id AND a.person_id = p.id AND a.active_at IS NOT NULL
                    AND a.disabled_at IS NULL),
            EXISTS (SELECT 1 FROM recovery_code c
                WHERE c.organisation_id = p.organisation_id AND c.person_id = p.id AND c.active_at IS NOT NULL
                    AND c.used_at IS NULL),
            s.device_digest, d.id
        FROM pre_session s
        JOIN person p ON p.id = s.person_id AND p.organisation_id = s.organisation_id
        LEFT JOIN device d ON d.digest = s.device_digest AND d.person_id = p.id
            AND d.organisation_id = p.organisation_id AND d.revoked_at IS NULL
        LEFT JOIN password w ON w.person_id = p.id AND w.organisation_id = p.organisation_id
        WHERE s.digest = $1";

    /// Past the second step, or away from it.
    DELETE_PRE_SESSION = "
        DELETE FROM pre_session
        WHERE digest = $1";

    /// Nobody of this person is between the steps any more.
    DELETE_PRE_SESSIONS_OF = "
        DELETE FROM pre_session
        WHERE organisation_id = $1 AND person_id = $2";

    /// A browser that this person has signed in with.
    INSERT_DEVICE = "
        INSERT INTO device
            (id, organisation_id, person_id, digest, device, source, created_at, last_used_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $7)";

    /// The newest device of a person stays, and of the others first those that came again lately, then those that were used last.
    CAP_DEVICES = "
        DELETE FROM device
        WHERE organisation_id = $1 AND person_id = $2 AND id <> $3
            AND id NOT IN (
                SELECT d.id
                FROM device d
                WHERE d.organisation_id = $1 AND d.person_id = $2 AND d.id <> $3
                ORDER BY CASE
                        WHEN d.revoked_at IS NOT NULL THEN 2
                        WHEN d.last_used_at > d.created_at AND d.last_used_at > $4 THEN 0
                        ELSE 1
                    END, d.last_used_at DESC, d.id DESC
                LIMIT 19)";

    /// The browser has a new token: the rows of everybody who used it go along. Whose they are is not known at this point.
    MOVE_DEVICES = "
        UPDATE device
        SET digest = $2
        WHERE digest = $1 AND revoked_at IS NULL";

    /// It skips the second step until then.
    TRUST_DEVICE = "
        UPDATE device
        SET trusted_at = $4, trusted_until = $5, epoch = $6
        WHERE organisation_id = $1 AND person_id = $2 AND id = $3 AND revoked_at IS NULL";

    /// The device of a person by its token, if they have not forgotten it.
    FIND_DEVICE = "
        SELECT id, trusted_until, epoch, trusted_at
        FROM device
        WHERE organisation_id = $1 AND person_id = $2 AND digest = $3 AND revoked_at IS NULL";

    /// It was used.
    TOUCH_DEVICE = "
        UPDATE device
        SET last_used_at = $3, source = $4, device = $5
        WHERE organisation_id = $1 AND id = $2";

    /// It is unknown again.
    REVOKE_DEVICE = "
        UPDATE device
        SET revoked_at = $4
        WHERE organisation_id = $1 AND person_id = $2 AND id = $3 AND revoked_at IS NULL";

    /// Ends what came by a device.
    END_SESSIONS_OF_DEVICE = "
        UPDATE session
        SET ended_at = $4
        WHERE organisation_id = $1 AND person_id = $2 AND device_id = $3 AND ended_at IS NULL";

    /// All of a person's are asked again; they stay known.
    DISTRUST_ALL_DEVICES = "
        UPDATE device
        SET trusted_at = NULL, trusted_until = NULL, epoch = NULL
        WHERE organisation_id = $1 AND person_id = $2 AND trusted_at IS NOT NULL";

    /// What nobody needs any more.
    SWEEP_PRE_SESSIONS = "
        DELETE FROM pre_session
        WHERE expires_at < $1";

    /// Over long ago.
    SWEEP_SESSIONS = "
        DELETE FROM session
        WHERE active_at < $1";

    /// Devices whose cookie is over.
    SWEEP_DEVICES = "
        DELETE FROM device
        WHERE last_used_at < $1";

    /// Enrolments that nobody went on with.
    SWEEP_BEGUN_AUTHENTICATORS = "
        DELETE FROM authenticator
        WHERE active_at IS NULL AND created_at < $1";

    /// Sets of codes that nobody typed back.
    SWEEP_NEW_RECOVERY_CODES = "
        DELETE FROM recovery_code
        WHERE active_at IS NULL AND created_at < $1";

    /// Addresses that nobody proved; a telephone number never is.
    SWEEP_CONTACTS = "
        DELETE FROM contact
        WHERE proven_at IS NULL AND kind = 'address' AND created_at < $1";

    /// Addresses that nothing brings back any more.
    SWEEP_FORMER_ADDRESSES = "
        DELETE FROM former_address
        WHERE until_at < $1";

    /// Links that were over a month ago.
    SWEEP_LINKS = "
        DELETE FROM link
        WHERE expires_at < $1";

    /// Misses that were long ago, whoever they are about.
    SWEEP_MISSES = "
        DELETE FROM miss
        WHERE last_at < $1";
}
