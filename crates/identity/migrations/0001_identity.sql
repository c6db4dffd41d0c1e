CREATE TABLE organisation (
    id UUID NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    -- Rises with every revocation; doors compare it.
    epoch BIGINT NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE TABLE location (
    id UUID NOT NULL PRIMARY KEY,
    organisation_id UUID NOT NULL,
    name TEXT NOT NULL,
    slug TEXT NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE UNIQUE INDEX location_slug ON location (organisation_id, slug);

CREATE TABLE person (
    id UUID NOT NULL PRIMARY KEY,
    organisation_id UUID NOT NULL,
    -- In small letters: two people whose addresses differ in case alone would be mixed up.
    address TEXT NOT NULL,
    name TEXT NOT NULL,
    role TEXT NOT NULL,
    home_location_id UUID,
    created_at BIGINT NOT NULL,
    disabled_at BIGINT
);

CREATE UNIQUE INDEX person_address ON person (address);

CREATE INDEX person_organisation ON person (organisation_id, address);

CREATE TABLE login (
    id UUID NOT NULL PRIMARY KEY,
    organisation_id UUID NOT NULL,
    -- In small letters, as it is compared.
    user_name TEXT NOT NULL,
    target TEXT NOT NULL,
    target_id UUID NOT NULL,
    created_at BIGINT NOT NULL,
    disabled_at BIGINT
);

CREATE UNIQUE INDEX login_user_name ON login (user_name);

CREATE UNIQUE INDEX login_target ON login (target, target_id);

CREATE TABLE app_password (
    id UUID NOT NULL PRIMARY KEY,
    organisation_id UUID NOT NULL,
    login_id UUID NOT NULL,
    name TEXT NOT NULL,
    digest BYTEA NOT NULL,
    -- The purpose key under which the digest was made.
    key_id UUID NOT NULL,
    -- Words with commas between them.
    allowed TEXT NOT NULL,
    -- One a line; empty: from everywhere.
    networks TEXT NOT NULL,
    -- One a line; empty: every address of the account.
    send_as TEXT NOT NULL,
    repairs_line_ends BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT,
    revoked_at BIGINT,
    last_used_at BIGINT,
    last_used_from TEXT,
    last_used_protocol TEXT
);

CREATE UNIQUE INDEX app_password_live ON app_password (login_id, digest) WHERE revoked_at IS NULL;

CREATE INDEX app_password_digest ON app_password (login_id, digest);

CREATE INDEX app_password_use ON app_password (last_used_at) WHERE last_used_at IS NOT NULL;
