//! Statements of organisations and their locations.

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

    /// The name of a person's organisation, which is no password.
    FIND_ORGANISATION_NAME = "
        SELECT name
        FROM organisation
        WHERE id = $1";
}
