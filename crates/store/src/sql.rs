//! Every statement of this room.

/// Made before any migration runs, because it keeps what ran.
pub(crate) const MIGRATION_TABLE: &str = "
    CREATE TABLE IF NOT EXISTS migration (
        room TEXT NOT NULL,
        version BIGINT NOT NULL,
        name TEXT NOT NULL,
        applied_at BIGINT NOT NULL,
        PRIMARY KEY (room, version)
    )";

crate::statements! {
    /// A room's highest applied version.
    NEWEST_MIGRATION = "
        SELECT version
        FROM migration
        WHERE room = $1
        ORDER BY version DESC
        LIMIT 1";

    /// One row if this process may apply the step, none if it is applied already.
    INSERT_MIGRATION = "
        INSERT INTO migration (room, version, name, applied_at)
        VALUES ($1, $2, $3, $4)
        ON CONFLICT (room, version) DO NOTHING";

    /// A process begins.
    INSERT_NODE = "
        INSERT INTO node (id, name, program_version, started_at, heartbeat_at)
        VALUES ($1, $2, $3, $4, $4)";

    /// A process lives.
    UPDATE_HEARTBEAT = "
        UPDATE node
        SET heartbeat_at = $2
        WHERE id = $1";

    /// A process ended in good order.
    UPDATE_STOPPED = "
        UPDATE node
        SET stopped_at = $2, heartbeat_at = $2
        WHERE id = $1";

    /// First holder of a resource, or the next one: the fence rises either way.
    TAKE_LEASE = "
        INSERT INTO lease (resource_id, organisation_id, node_id, fence, taken_at)
        VALUES ($1, $2, $3, 1, $4)
        ON CONFLICT (resource_id) DO UPDATE
        SET node_id = excluded.node_id, fence = lease.fence + 1, taken_at = excluded.taken_at
        RETURNING fence";

    /// The fence as it stands, kept from changing until the transaction ends.
    SHARE_LEASE = sharing "
        SELECT fence
        FROM lease
        WHERE resource_id = $1 AND organisation_id = $2";

    /// A new key, unless another process was quicker.
    INSERT_KEY = "
        INSERT INTO wrapped_key
            (id, organisation_id, purpose, day, serial, wrapped, wrapped_by, public_part, created_at)
        VALUES ($1, $2, $3, $4, 1, $5, $6, $7, $8)
        ON CONFLICT (organisation_id, purpose, day, serial) DO NOTHING";

    /// The newest key of a purpose that is not destroyed.
    FIND_KEY = "
        SELECT id, wrapped, wrapped_by, public_part
        FROM wrapped_key
        WHERE organisation_id = $1 AND purpose = $2 AND day = $3 AND destroyed_at IS NULL
        ORDER BY serial DESC
        LIMIT 1";

    /// One day key by its id, for opening what it sealed.
    FIND_DAY_KEY = "
        SELECT day, wrapped
        FROM wrapped_key
        WHERE organisation_id = $1 AND id = $2 AND purpose = 'body_day' AND destroyed_at IS NULL";

    /// Whether a day key is still there, for the transaction that stores a body under it.
    SHARE_DAY_KEY = sharing "
        SELECT id
        FROM wrapped_key
        WHERE organisation_id = $1 AND id = $2 AND destroyed_at IS NULL";

    /// Day keys of all organisations whose day ended before `$1` and under which no body is left.
    LIST_SPENT_DAY_KEYS = "
        SELECT k.id, k.organisation_id
        FROM wrapped_key k
        WHERE k.purpose = 'body_day' AND k.day < $1 AND k.destroyed_at IS NULL
            AND NOT EXISTS (SELECT 1 FROM body b WHERE b.key_id = k.id)
        LIMIT 1000";

    /// Destroys a day key unless a body came under it meanwhile.
    DESTROY_DAY_KEY = "
        UPDATE wrapped_key
        SET wrapped = $3, destroyed_at = $4
        WHERE organisation_id = $1 AND id = $2 AND destroyed_at IS NULL
            AND NOT EXISTS (SELECT 1 FROM body b WHERE b.key_id = $2)";

    /// A finished body.
    INSERT_BODY = "
        INSERT INTO body (id, organisation_id, key_id, sealed_key, size_bytes, place, created_at, content)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";

    /// One body.
    FIND_BODY = "
        SELECT key_id, sealed_key, size_bytes, place, content
        FROM body
        WHERE organisation_id = $1 AND id = $2";

    /// Whether a body is kept in the folder.
    FIND_BODY_PLACE = "
        SELECT place
        FROM body
        WHERE organisation_id = $1 AND id = $2";

    /// Whether any organisation has this body, for the sweeper, which finds only a file's name.
    FIND_BODY_OF_FILE = "
        SELECT place
        FROM body
        WHERE id = $1";

    /// Erases a body's row.
    DELETE_BODY = "
        DELETE FROM body
        WHERE organisation_id = $1 AND id = $2";
}
