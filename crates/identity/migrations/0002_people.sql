ALTER TABLE organisation ADD COLUMN set_up_at BIGINT;

-- The security epoch: rises with whatever ends a person's sessions.
ALTER TABLE person ADD COLUMN epoch BIGINT NOT NULL DEFAULT 0;

-- Since when two-step verification is on.
ALTER TABLE person ADD COLUMN two_step_at BIGINT;

ALTER TABLE person ADD COLUMN invited_at BIGINT;

ALTER TABLE person ADD COLUMN signed_in_at BIGINT;

CREATE TABLE password (
    person_id UUID NOT NULL PRIMARY KEY,
    organisation_id UUID NOT NULL,
    -- A PHC string whose hash is the keyed hash of Argon2's output.
    hash TEXT NOT NULL,
    -- The pepper under which it was made.
    key_id UUID NOT NULL,
    changed_at BIGINT NOT NULL
);

CREATE TABLE authenticator (
    id UUID NOT NULL PRIMARY KEY,
    organisation_id UUID NOT NULL,
    person_id UUID NOT NULL,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    secret_sealed BYTEA NOT NULL,
    -- The last time step that was accepted; only a later one is.
    last_step BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    proven_at BIGINT,
    active_at BIGINT,
    last_used_at BIGINT
);

CREATE INDEX authenticator_person ON authenticator (organisation_id, person_id);

CREATE TABLE recovery_code (
    person_id UUID NOT NULL,
    set_id UUID NOT NULL,
    ordinal BIGINT NOT NULL,
    organisation_id UUID NOT NULL,
    digest BYTEA NOT NULL,
    created_at BIGINT NOT NULL,
    active_at BIGINT,
    used_at BIGINT,
    PRIMARY KEY (person_id, set_id, ordinal)
);

CREATE TABLE pre_session (
    digest BYTEA NOT NULL PRIMARY KEY,
    organisation_id UUID NOT NULL,
    person_id UUID NOT NULL,
    epoch BIGINT NOT NULL,
    source TEXT NOT NULL,
    device TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);

CREATE INDEX pre_session_expires ON pre_session (expires_at);

CREATE TABLE session (
    id UUID NOT NULL PRIMARY KEY,
    organisation_id UUID NOT NULL,
    person_id UUID NOT NULL,
    digest BYTEA NOT NULL,
    epoch BIGINT NOT NULL,
    source TEXT NOT NULL,
    device TEXT NOT NULL,
    is_lasting BOOLEAN NOT NULL,
    -- Came in by a trusted device: nothing but the password was shown.
    is_single_factor BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL,
    active_at BIGINT NOT NULL,
    -- The last factor that was shown.
    factor_at BIGINT NOT NULL,
    -- The last proof by the strongest factor enrolled; empty if there was none.
    proven_at BIGINT,
    ended_at BIGINT
);

CREATE UNIQUE INDEX session_digest ON session (digest);

CREATE INDEX session_person ON session (organisation_id, person_id);

CREATE INDEX session_active ON session (active_at);

CREATE TABLE trusted_device (
    id UUID NOT NULL PRIMARY KEY,
    organisation_id UUID NOT NULL,
    person_id UUID NOT NULL,
    digest BYTEA NOT NULL,
    epoch BIGINT NOT NULL,
    device TEXT NOT NULL,
    source TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    last_used_at BIGINT NOT NULL,
    revoked_at BIGINT
);

CREATE UNIQUE INDEX trusted_device_digest ON trusted_device (digest);

CREATE INDEX trusted_device_person ON trusted_device (organisation_id, person_id);

CREATE TABLE link (
    id UUID NOT NULL PRIMARY KEY,
    organisation_id UUID NOT NULL,
    person_id UUID NOT NULL,
    kind TEXT NOT NULL,
    -- Empty until the token is given out.
    digest BYTEA,
    details TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    used_at BIGINT
);

CREATE UNIQUE INDEX link_digest ON link (digest) WHERE digest IS NOT NULL;

CREATE INDEX link_person ON link (organisation_id, person_id);

CREATE TABLE contact (
    id UUID NOT NULL PRIMARY KEY,
    organisation_id UUID NOT NULL,
    person_id UUID NOT NULL,
    kind TEXT NOT NULL,
    value TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    proven_at BIGINT
);

CREATE UNIQUE INDEX contact_value ON contact (person_id, kind, value);

CREATE TABLE miss (
    -- A keyed hash of an address or of an authenticator's id.
    subject BYTEA NOT NULL,
    -- The trusted device with a count of its own, or nil.
    bucket UUID NOT NULL,
    -- An address that nobody has; such rows are swept after a day.
    is_nobodys BOOLEAN NOT NULL,
    n BIGINT NOT NULL,
    last_at BIGINT NOT NULL,
    wait_until BIGINT NOT NULL,
    disabled_at BIGINT,
    PRIMARY KEY (subject, bucket)
);

CREATE INDEX miss_last ON miss (last_at);

ALTER TABLE app_password ADD COLUMN application TEXT;

ALTER TABLE app_password ADD COLUMN device TEXT;

ALTER TABLE app_password ADD COLUMN created_by UUID;

-- Its successor, while both work.
ALTER TABLE app_password ADD COLUMN replaced_by UUID;
