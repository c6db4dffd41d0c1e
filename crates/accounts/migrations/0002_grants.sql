-- Raised by each change of an organisation's accounts, so that whoever remembers them looks at one row.
CREATE TABLE account_change (
    organisation_id UUID NOT NULL PRIMARY KEY,
    serial BIGINT NOT NULL
);

-- The change that an account was last part of.
ALTER TABLE mail_account ADD COLUMN change_serial BIGINT NOT NULL DEFAULT 0;

-- The mailbox that is opened, where it is another than the one that signs in.
ALTER TABLE mail_account ADD COLUMN opens TEXT;

-- Further addresses that letters of an account may come from.
CREATE TABLE account_address (
    mail_account_id UUID NOT NULL,
    address_key TEXT NOT NULL,
    organisation_id UUID NOT NULL,
    address TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (mail_account_id, address_key)
);

CREATE INDEX account_address_organisation ON account_address (organisation_id);

-- A grant is what somebody gave by signing in once: its rows share the id of the first. Each rotation of the refresh token is a
-- row of the next generation; the one before it lives until the new one has worked.
ALTER TABLE credential ADD COLUMN grant_id UUID;

ALTER TABLE credential ADD COLUMN generation BIGINT NOT NULL DEFAULT 1;

ALTER TABLE credential ADD COLUMN oauth_client_id UUID;

ALTER TABLE credential ADD COLUMN token_url TEXT;

-- Whose mailbox it was, as the service named it.
ALTER TABLE credential ADD COLUMN issuer TEXT;

ALTER TABLE credential ADD COLUMN subject TEXT;

ALTER TABLE credential ADD COLUMN scopes TEXT;

ALTER TABLE credential ADD COLUMN access_sealed BYTEA;

-- Counts the access tokens of a grant.
ALTER TABLE credential ADD COLUMN access_serial BIGINT NOT NULL DEFAULT 0;

ALTER TABLE credential ADD COLUMN access_expires_at BIGINT;

ALTER TABLE credential ADD COLUMN refresh_at BIGINT;

-- A refresh is under way, or its answer never came.
ALTER TABLE credential ADD COLUMN refresh_began_at BIGINT;

ALTER TABLE credential ADD COLUMN refresh_owner UUID;

ALTER TABLE credential ADD COLUMN n_refresh_failures BIGINT NOT NULL DEFAULT 0;

ALTER TABLE credential ADD COLUMN worked_at BIGINT;

ALTER TABLE credential ADD COLUMN used_at BIGINT;

UPDATE credential SET grant_id = id;

CREATE UNIQUE INDEX credential_generation ON credential (mail_account_id, generation)
    WHERE retired_at IS NULL;

CREATE INDEX credential_due ON credential (refresh_at)
    WHERE retired_at IS NULL AND refresh_at IS NOT NULL;

-- Applications registered at OAuth services; those of the nil organisation serve the whole installation.
CREATE TABLE oauth_client (
    id UUID NOT NULL PRIMARY KEY,
    organisation_id UUID NOT NULL,
    service TEXT NOT NULL,
    client_id TEXT NOT NULL,
    secret_sealed BYTEA,
    tenant TEXT,
    kind TEXT NOT NULL,
    is_verified BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL,
    proven_at BIGINT,
    trouble TEXT,
    trouble_at BIGINT,
    removed_at BIGINT
);

-- One for each service.
CREATE UNIQUE INDEX oauth_client_service ON oauth_client (organisation_id, service)
    WHERE removed_at IS NULL;
