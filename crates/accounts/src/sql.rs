//! Every statement of this room.

gatepost_store::statements! {
    /// A new account.
    INSERT_ACCOUNT = "
        INSERT INTO mail_account
            (id, organisation_id, address, address_key, short_name, author_name, provider, user_name,
             smtp_host, smtp_port, smtp_tls, imap_host, imap_port, imap_tls, pop3_host, pop3_port, pop3_tls,
             person_id, location_id, never_falls_back, max_connections, max_message_bytes, opens, created_at, held_for_ms)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, 0)";

    /// The live account of a mailbox.
    FIND_LIVE_ADDRESS = "
        SELECT id
        FROM mail_account
        WHERE organisation_id = $1 AND address_key = $2 AND removed_at IS NULL";

    /// Accounts of an organisation that were part of a later change than this, removed ones too: their last letters still ask
    /// for the running clock.
    LIST_ACCOUNTS = "
        SELECT id, organisation_id, address, short_name, author_name, provider, user_name,
            smtp_host, smtp_port, smtp_tls, imap_host, imap_port, imap_tls, pop3_host, pop3_port, pop3_tls,
            person_id, location_id, never_falls_back, max_connections, max_message_bytes,
            paused_at, held_for_ms, held_since_at, created_at, removed_at, opens
        FROM mail_account
        WHERE organisation_id = $1 AND change_serial > $2
        ORDER BY id";

    /// The last change of an organisation's accounts.
    FIND_CHANGE = "
        SELECT serial
        FROM account_change
        WHERE organisation_id = $1";

    /// One more change.
    RAISE_CHANGE = "
        INSERT INTO account_change (organisation_id, serial)
        VALUES ($1, 1)
        ON CONFLICT (organisation_id) DO UPDATE
        SET serial = account_change.serial + 1
        RETURNING serial";

    /// An account was part of it.
    MARK_CHANGED = "
        UPDATE mail_account
        SET change_serial = $3
        WHERE organisation_id = $1 AND id = $2";

    /// One account.
    FIND_ACCOUNT = "
        SELECT id, organisation_id, address, short_name, author_name, provider, user_name,
            smtp_host, smtp_port, smtp_tls, imap_host, imap_port, imap_tls, pop3_host, pop3_port, pop3_tls,
            person_id, location_id, never_falls_back, max_connections, max_message_bytes,
            paused_at, held_for_ms, held_since_at, created_at, removed_at, opens
        FROM mail_account
        WHERE organisation_id = $1 AND id = $2";

    /// One account, for this transaction alone: whoever changes its status, pause or credential holds this row.
    LOCK_ACCOUNT = locking "
        SELECT id, organisation_id, address, short_name, author_name, provider, user_name,
            smtp_host, smtp_port, smtp_tls, imap_host, imap_port, imap_tls, pop3_host, pop3_port, pop3_tls,
            person_id, location_id, never_falls_back, max_connections, max_message_bytes,
            paused_at, held_for_ms, held_since_at, created_at, removed_at, opens
        FROM mail_account
        WHERE organisation_id = $1 AND id = $2";

    /// Whether an account is live, kept so until the transaction ends.
    SHARE_LIVE_ACCOUNT = sharing "
        SELECT id
        FROM mail_account
        WHERE organisation_id = $1 AND id = $2 AND removed_at IS NULL";

    /// One more address that letters of an account may come from.
    INSERT_ADDRESS = "
        INSERT INTO account_address (mail_account_id, address_key, organisation_id, address, created_at)
        VALUES ($1, $2, $3, $4, $5)";

    /// None of them any more.
    DELETE_ADDRESSES = "
        DELETE FROM account_address
        WHERE organisation_id = $1 AND mail_account_id = $2";

    /// Those of one account.
    FIND_ADDRESSES = "
        SELECT mail_account_id, address
        FROM account_address
        WHERE organisation_id = $1 AND mail_account_id = $2
        ORDER BY address_key";

    /// Those of accounts that were part of a later change than this.
    LIST_ADDRESSES = "
        SELECT mail_account_id, address
        FROM account_address
        WHERE organisation_id = $1
            AND mail_account_id IN (
                SELECT a.id
                FROM mail_account a
                WHERE a.organisation_id = $1 AND a.change_serial > $2)
        ORDER BY mail_account_id, address_key";

    /// Organisations that have accounts.
    LIST_ORGANISATIONS = "
        SELECT DISTINCT organisation_id
        FROM mail_account";

    /// What may change of an account.
    UPDATE_ACCOUNT = "
        UPDATE mail_account
        SET smtp_host = $3, smtp_port = $4, smtp_tls = $5, imap_host = $6, imap_port = $7, imap_tls = $8,
            pop3_host = $9, pop3_port = $10, pop3_tls = $11, short_name = $12, author_name = $13, user_name = $14,
            person_id = $15, location_id = $16, never_falls_back = $17, max_connections = $18, max_message_bytes = $19,
            opens = $20, paused_at = $21, held_for_ms = $22, held_since_at = $23, removed_at = $24
        WHERE organisation_id = $1 AND id = $2";

    /// A default is chosen, or chosen anew.
    PUT_DEFAULT = "
        INSERT INTO default_account (organisation_id, serves, serves_id, mail_account_id)
        VALUES ($1, $2, $3, $4)
        ON CONFLICT (organisation_id, serves, serves_id) DO UPDATE
        SET mail_account_id = excluded.mail_account_id";

    /// The live default of whom it serves.
    FIND_LIVE_DEFAULT = "
        SELECT d.mail_account_id
        FROM default_account d
        JOIN mail_account a ON a.id = d.mail_account_id AND a.organisation_id = d.organisation_id
        WHERE d.organisation_id = $1 AND d.serves = $2 AND d.serves_id = $3 AND a.removed_at IS NULL";

    /// All defaults of an organisation.
    LIST_DEFAULTS = "
        SELECT serves, serves_id, mail_account_id
        FROM default_account
        WHERE organisation_id = $1";

    /// A new credential.
    INSERT_CREDENTIAL = "
        INSERT INTO credential (id, organisation_id, mail_account_id, kind, secret_sealed, created_at)
        VALUES ($1, $2, $3, $4, $5, $6)";

    /// What an account signs in with.
    FIND_CREDENTIAL = "
        SELECT id, secret_sealed
        FROM credential
        WHERE organisation_id = $1 AND mail_account_id = $2 AND retired_at IS NULL
        ORDER BY id DESC
        LIMIT 1";

    /// What they sign in with; the newest of an account comes last.
    LIST_CREDENTIALS = "
        SELECT mail_account_id, id
        FROM credential
        WHERE organisation_id = $1 AND retired_at IS NULL
            AND mail_account_id IN (
                SELECT a.id
                FROM mail_account a
                WHERE a.organisation_id = $1 AND a.change_serial > $2)
        ORDER BY id";

    /// An account's secrets are gone for good; the rows stay, emptied.
    RETIRE_CREDENTIALS = "
        UPDATE credential
        SET secret_sealed = $3, retired_at = $4
        WHERE organisation_id = $1 AND mail_account_id = $2 AND retired_at IS NULL";

    /// Where one direction of an account stands.
    PUT_STATUS = "
        INSERT INTO account_status
            (mail_account_id, direction, organisation_id, status, rule, reply, since_at, checked_at, not_before_at,
             n_failures)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
        ON CONFLICT (mail_account_id, direction) DO UPDATE
        SET status = excluded.status, rule = excluded.rule, reply = excluded.reply, since_at = excluded.since_at,
            checked_at = excluded.checked_at, not_before_at = excluded.not_before_at, n_failures = excluded.n_failures
        WHERE account_status.organisation_id = excluded.organisation_id";

    /// Where both directions of one account stand.
    FIND_STATUSES = "
        SELECT mail_account_id, direction, status, rule, reply, since_at, checked_at, not_before_at, n_failures
        FROM account_status
        WHERE organisation_id = $1 AND mail_account_id = $2";

    /// Where they stand.
    LIST_STATUSES = "
        SELECT mail_account_id, direction, status, rule, reply, since_at, checked_at, not_before_at, n_failures
        FROM account_status
        WHERE organisation_id = $1
            AND mail_account_id IN (
                SELECT a.id
                FROM mail_account a
                WHERE a.organisation_id = $1 AND a.change_serial > $2)";

    /// Parked accounts of all organisations whose probe is due. A row that was written "in the future" tells of a clock
    /// that was set back; its account is probed now.
    LIST_DUE_PROBES = "
        SELECT s.organisation_id, s.mail_account_id
        FROM account_status s
        JOIN mail_account a ON a.id = s.mail_account_id AND a.organisation_id = s.organisation_id
        WHERE s.status = 'needs_sign_in' AND s.direction = 'sending' AND s.not_before_at IS NOT NULL
            AND (s.not_before_at <= $1 OR s.checked_at > $1)
            AND a.paused_at IS NULL AND a.removed_at IS NULL
        ORDER BY s.not_before_at
        LIMIT 1000";
}
