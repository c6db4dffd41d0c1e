CREATE TABLE mail_account (
    id UUID NOT NULL PRIMARY KEY,
    organisation_id UUID NOT NULL,
    address TEXT NOT NULL,
    -- The address in lower case: mailboxes that differ only in case are one.
    address_key TEXT NOT NULL,
    short_name TEXT NOT NULL,
    author_name TEXT NOT NULL,
    provider TEXT NOT NULL,
    user_name TEXT NOT NULL,
    smtp_host TEXT NOT NULL,
    smtp_port BIGINT NOT NULL,
    smtp_tls TEXT NOT NULL,
    imap_host TEXT,
    imap_port BIGINT,
    imap_tls TEXT,
    pop3_host TEXT,
    pop3_port BIGINT,
    pop3_tls TEXT,
    person_id UUID,
    location_id UUID,
    never_falls_back BOOLEAN NOT NULL,
    max_connections BIGINT,
    max_message_bytes BIGINT,
    paused_at BIGINT,
    held_for_ms BIGINT NOT NULL,
    held_since_at BIGINT,
    created_at BIGINT NOT NULL,
    removed_at BIGINT
);

CREATE INDEX mail_account_organisation ON mail_account (organisation_id);

-- One live account per mailbox and organisation.
CREATE UNIQUE INDEX mail_account_address ON mail_account (organisation_id, address_key)
    WHERE removed_at IS NULL;

CREATE TABLE default_account (
    organisation_id UUID NOT NULL,
    serves TEXT NOT NULL,
    serves_id UUID NOT NULL,
    mail_account_id UUID NOT NULL,
    PRIMARY KEY (organisation_id, serves, serves_id)
);

CREATE TABLE credential (
    id UUID NOT NULL PRIMARY KEY,
    organisation_id UUID NOT NULL,
    mail_account_id UUID NOT NULL,
    kind TEXT NOT NULL,
    secret_sealed BYTEA NOT NULL,
    created_at BIGINT NOT NULL,
    retired_at BIGINT
);

-- What an account signs in with at present.
CREATE INDEX credential_present ON credential (organisation_id, mail_account_id)
    WHERE retired_at IS NULL;

CREATE TABLE account_status (
    mail_account_id UUID NOT NULL,
    organisation_id UUID NOT NULL,
    direction TEXT NOT NULL,
    status TEXT NOT NULL,
    rule TEXT,
    reply BYTEA,
    since_at BIGINT NOT NULL,
    checked_at BIGINT NOT NULL,
    not_before_at BIGINT,
    n_failures BIGINT NOT NULL,
    PRIMARY KEY (mail_account_id, direction)
);

CREATE INDEX account_status_organisation ON account_status (organisation_id);

-- Parked accounts, by when they are probed.
CREATE INDEX account_status_parked ON account_status (not_before_at)
    WHERE status = 'needs_sign_in';
