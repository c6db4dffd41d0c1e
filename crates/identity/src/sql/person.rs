//! Statements of people, and of the ways to reach them.

gatepost_store::statements! {
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

    /// A person who never chose a password is gone, and their address is free.
    DELETE_PERSON = "
        DELETE FROM person
        WHERE organisation_id = $1 AND id = $2
            AND NOT EXISTS (SELECT 1 FROM password w WHERE w.person_id = person.id)";

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

    /// The addresses that a person's notices go to beside the one they sign in with.
    LIST_PROVEN_ADDRESSES = "
        SELECT value
        FROM contact
        WHERE organisation_id = $1 AND person_id = $2 AND kind = 'address' AND proven_at IS NOT NULL
        ORDER BY created_at, id
        LIMIT 100";

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
}
