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
            opens = $20, paused_at = $21, held_for_ms = $22, held_since_at = $23, removed_at = $24, provider = $25
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

    /// What kind of secret an account has, or had last.
    FIND_LAST_KIND = "
        SELECT kind
        FROM credential
        WHERE organisation_id = $1 AND mail_account_id = $2
        ORDER BY created_at DESC, generation DESC
        LIMIT 1";

    /// A new credential.
    INSERT_CREDENTIAL = "
        INSERT INTO credential
            (id, organisation_id, mail_account_id, kind, secret_sealed, created_at, grant_id, generation, oauth_client_id,
             token_url, issuer, subject, scopes, access_sealed, access_serial, access_expires_at, refresh_at, used_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)";

    /// What an account signs in with: the present generation, and the one before it while that is kept.
    FIND_CREDENTIALS = "
        SELECT id, kind, secret_sealed, grant_id, generation, oauth_client_id, token_url, issuer, subject, scopes,
            access_sealed, access_serial, access_expires_at, refresh_at, refresh_began_at, n_refresh_failures, worked_at,
            used_at
        FROM credential
        WHERE organisation_id = $1 AND mail_account_id = $2 AND retired_at IS NULL
        ORDER BY generation DESC
        LIMIT 2";

    /// The same, for this transaction alone.
    LOCK_CREDENTIALS = locking "
        SELECT id, kind, secret_sealed, grant_id, generation, oauth_client_id, token_url, issuer, subject, scopes,
            access_sealed, access_serial, access_expires_at, refresh_at, refresh_began_at, n_refresh_failures, worked_at,
            used_at
        FROM credential
        WHERE organisation_id = $1 AND mail_account_id = $2 AND retired_at IS NULL
        ORDER BY generation DESC
        LIMIT 2";

    /// Which grant an account has.
    FIND_GRANT = "
        SELECT grant_id
        FROM credential
        WHERE organisation_id = $1 AND mail_account_id = $2 AND retired_at IS NULL
        ORDER BY generation DESC
        LIMIT 1";

    /// A refresh begins, unless one is under way that began after `$5`, or has brought a newer access token than `$6`. Clocks of
    /// nodes differ a little: only one that begins after `$7` was written before a clock was set back.
    CLAIM_REFRESH = "
        UPDATE credential
        SET refresh_began_at = $3, refresh_owner = $4
        WHERE organisation_id = $1 AND id = $2 AND retired_at IS NULL
            AND refresh_at IS NOT NULL AND access_serial = $6
            AND (refresh_began_at IS NULL OR refresh_began_at <= $5 OR refresh_began_at > $7)";

    /// The answer to a refresh that keeps its refresh token.
    STORE_ACCESS = "
        UPDATE credential
        SET access_sealed = $3, access_serial = $4, access_expires_at = $5, refresh_at = $6, scopes = $7,
            refresh_began_at = NULL, refresh_owner = NULL, n_refresh_failures = 0
        WHERE organisation_id = $1 AND id = $2 AND retired_at IS NULL";

    /// A refresh brought nothing. The mark that one began stays where its answer never came.
    STORE_FAILURE = "
        UPDATE credential
        SET refresh_at = $3, n_refresh_failures = $4, refresh_began_at = $5, refresh_owner = NULL
        WHERE organisation_id = $1 AND id = $2 AND retired_at IS NULL";

    /// A sign-in with it succeeded.
    RECORD_WORKED = "
        UPDATE credential
        SET worked_at = $3
        WHERE organisation_id = $1 AND id = $2 AND worked_at IS NULL";

    /// It was handed out.
    RECORD_USED = "
        UPDATE credential
        SET used_at = $3
        WHERE organisation_id = $1 AND id = $2";

    /// Generations before one that has worked.
    DELETE_PREDECESSORS = "
        DELETE FROM credential
        WHERE organisation_id = $1 AND mail_account_id = $2 AND retired_at IS NULL AND generation < $3";

    /// Grants of all organisations whose refresh is due, or was set so far ahead that the clock must have been set back.
    LIST_DUE_REFRESHES = "
        SELECT c.organisation_id, c.mail_account_id
        FROM credential c
        WHERE c.retired_at IS NULL AND c.refresh_at IS NOT NULL AND (c.refresh_at <= $1 OR c.refresh_at > $2)
        ORDER BY c.refresh_at
        LIMIT 1000";

    /// An application that was registered.
    INSERT_OAUTH_CLIENT = "
        INSERT INTO oauth_client
            (id, organisation_id, service, client_id, secret_sealed, tenant, kind, is_verified, created_at, proven_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";

    /// One of them, as long as grants may need it.
    FIND_OAUTH_CLIENT = "
        SELECT id, organisation_id, service, client_id, secret_sealed, tenant, kind, is_verified, created_at, proven_at,
            trouble, trouble_at
        FROM oauth_client
        WHERE (organisation_id = $1 OR organisation_id = $2) AND id = $3";

    /// Those that an organisation can use; its own stand in front of the installation's.
    LIST_OAUTH_CLIENTS = "
        SELECT id, organisation_id, service, client_id, secret_sealed, tenant, kind, is_verified, created_at, proven_at,
            trouble, trouble_at
        FROM oauth_client
        WHERE (organisation_id = $1 OR organisation_id = $2) AND removed_at IS NULL
        ORDER BY CASE WHEN organisation_id = $1 THEN 0 ELSE 1 END, service";

    /// The newest of an organisation with this id at a service, also one that was removed.
    FIND_OAUTH_CLIENT_THERE = "
        SELECT id
        FROM oauth_client
        WHERE organisation_id = $1 AND service = $2 AND client_id = $3
        ORDER BY created_at DESC, id DESC
        LIMIT 1";

    /// What may change of one: its secret, and what depends on that. It is offered again if it was removed.
    UPDATE_OAUTH_CLIENT = "
        UPDATE oauth_client
        SET secret_sealed = $3, tenant = $4, kind = $5, is_verified = $6, proven_at = $7, trouble = NULL, trouble_at = NULL,
            removed_at = NULL
        WHERE organisation_id = $1 AND id = $2";

    /// The service refuses it, or no longer does.
    SET_OAUTH_CLIENT_TROUBLE = "
        UPDATE oauth_client
        SET trouble = $3, trouble_at = $4
        WHERE organisation_id = $1 AND id = $2";

    /// It is offered no more; grants that were made with it go on.
    REMOVE_OAUTH_CLIENT = "
        UPDATE oauth_client
        SET removed_at = $3
        WHERE organisation_id = $1 AND id = $2 AND removed_at IS NULL";

    /// Which accounts sign in by a grant that was made with it.
    LIST_ACCOUNTS_OF_OAUTH_CLIENT = "
        SELECT DISTINCT mail_account_id
        FROM credential
        WHERE organisation_id = $1 AND oauth_client_id = $2 AND retired_at IS NULL";

    /// All grants made with an application are due.
    MAKE_REFRESHES_DUE = "
        UPDATE credential
        SET refresh_at = $2, n_refresh_failures = 0
        WHERE oauth_client_id = $1 AND retired_at IS NULL AND refresh_at IS NOT NULL";

    /// What they sign in with; the newest of an account comes last.
    LIST_CREDENTIALS = "
        SELECT mail_account_id, grant_id
        FROM credential
        WHERE organisation_id = $1 AND retired_at IS NULL
            AND mail_account_id IN (
                SELECT a.id
                FROM mail_account a
                WHERE a.organisation_id = $1 AND a.change_serial > $2)
        ORDER BY generation";

    /// An account's secrets are gone for good; the rows stay, emptied.
    RETIRE_CREDENTIALS = "
        UPDATE credential
        SET secret_sealed = $3, access_sealed = NULL, refresh_at = NULL, retired_at = $4
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

    /// Nothing reads any more.
    DELETE_READING_STATUS = "
        DELETE FROM account_status
        WHERE organisation_id = $1 AND mail_account_id = $2 AND direction = 'reading'";

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

    /// Parked accounts of all organisations whose probe in this direction is due. A row that was written "in the future" tells of
    /// a clock that was set back; its account is probed now.
    LIST_DUE_PROBES = "
        SELECT s.organisation_id, s.mail_account_id
        FROM account_status s
        JOIN mail_account a ON a.id = s.mail_account_id AND a.organisation_id = s.organisation_id
        WHERE s.status = 'needs_sign_in' AND s.direction = $2 AND s.not_before_at IS NOT NULL
            AND (s.not_before_at <= $1 OR s.checked_at > $1)
            AND a.paused_at IS NULL AND a.removed_at IS NULL
            AND (s.direction = 'sending' OR a.imap_host IS NOT NULL OR a.pop3_host IS NOT NULL)
        ORDER BY s.not_before_at
        LIMIT 1000";

    /// By which rules services refuse the applications that an organisation uses.
    LIST_REFUSED_APPLICATIONS = "
        SELECT trouble
        FROM oauth_client
        WHERE organisation_id IN ($1, $2) AND trouble IS NOT NULL AND removed_at IS NULL";

    /// What a person has put off.
    LIST_POSTPONEMENTS = "
        SELECT mail_account_id, since_at
        FROM postponement
        WHERE organisation_id = $1 AND person_id = $2 AND until_at > $3 AND until_at <= $4";

    /// They put something off, or once more.
    PUT_POSTPONEMENT = "
        INSERT INTO postponement (person_id, mail_account_id, organisation_id, since_at, until_at)
        VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT (person_id, mail_account_id) DO UPDATE
        SET since_at = excluded.since_at, until_at = excluded.until_at";

    /// What they put off is over.
    SWEEP_POSTPONEMENTS = "
        DELETE FROM postponement
        WHERE organisation_id = $1 AND person_id = $2 AND until_at <= $3";

    /// A probe that is due at $3 is made, and is due again at $4 unless its finding says otherwise.
    CLAIM_PROBE = "
        UPDATE account_status
        SET not_before_at = $4, checked_at = $3
        WHERE organisation_id = $1 AND mail_account_id = $2 AND direction = $5 AND status = 'needs_sign_in'
            AND (not_before_at <= $3 OR checked_at > $3)";
}
