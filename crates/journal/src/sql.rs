//! Every statement of this room.

gatepost_store::statements! {
    /// One thing that happened.
    INSERT_ENTRY = "
        INSERT INTO journal
            (id, organisation_id, node_id, at, actor, actor_id, action, subject, subject_id, details)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";

    /// The newest entries of an organisation.
    LIST_ENTRIES = "
        SELECT at, actor, actor_id, action, subject, subject_id, details
        FROM journal
        WHERE organisation_id = $1
        ORDER BY id DESC
        LIMIT $2";
}
