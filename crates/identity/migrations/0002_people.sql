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
    changed_at BIGINT NOT NULL,
    -- By a hundred misses, or by whoever was not the one: it opens nothing until another is chosen.
    disabled_at BIGINT
);

CREATE TABLE authenticator (
    id UUID NOT NULL PRIMARY KEY,
    organisation_id UUID NOT NULL,
    person_id UUID NOT NULL,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    -- Empty for kinds that share no secret.
    secret_sealed BYTEA,
    -- The last time step that was accepted; only a later one is.
    last_step BIGINT,
    -- The lineage of the session that began it: no other sees, proves or confirms it.
    begun_by UUID NOT NULL,
    created_at BIGINT NOT NULL,
    proven_at BIGINT,
    active_at BIGINT,
    last_used_at BIGINT,
    -- By a hundred misses.
    disabled_at BIGINT
);

CREATE INDEX authenticator_person ON authenticator (organisation_id, person_id);

CREATE UNIQUE INDEX authenticator_active ON authenticator (person_id) WHERE active_at IS NOT NULL AND kind = 'totp';

CREATE INDEX authenticator_begun ON authenticator (created_at) WHERE active_at IS NULL;

CREATE TABLE recovery_code (
    person_id UUID NOT NULL,
    set_id UUID NOT NULL,
    ordinal BIGINT NOT NULL,
    organisation_id UUID NOT NULL,
    -- The lineage of the session that asked for the set: no other confirms it.
    begun_by UUID NOT NULL,
    digest BYTEA NOT NULL,
    created_at BIGINT NOT NULL,
    active_at BIGINT,
    used_at BIGINT,
    PRIMARY KEY (person_id, set_id, ordinal)
);

CREATE INDEX recovery_code_new ON recovery_code (created_at) WHERE active_at IS NULL;

CREATE TABLE pre_session (
    digest BYTEA NOT NULL PRIMARY KEY,
    organisation_id UUID NOT NULL,
    person_id UUID NOT NULL,
    epoch BIGINT NOT NULL,
    source TEXT NOT NULL,
    device TEXT NOT NULL,
    -- Of the device's token that the browser brought.
    device_digest BYTEA,
    -- Whether that was a device of this person: strangers who know the password end none of these.
    is_known BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);

CREATE INDEX pre_session_person ON pre_session (organisation_id, person_id);

CREATE INDEX pre_session_expires ON pre_session (expires_at);

CREATE TABLE session (
    id UUID NOT NULL PRIMARY KEY,
    organisation_id UUID NOT NULL,
    person_id UUID NOT NULL,
    -- Stays the same from sign-in to sign-out, whatever ids and tokens follow each other.
    lineage_id UUID NOT NULL,
    -- The device it came by.
    device_id UUID,
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

-- A browser that has signed in as a person: one token a browser, one row for each person who used it.
CREATE TABLE device (
    id UUID NOT NULL PRIMARY KEY,
    organisation_id UUID NOT NULL,
    person_id UUID NOT NULL,
    digest BYTEA NOT NULL,
    device TEXT NOT NULL,
    source TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    last_used_at BIGINT NOT NULL,
    -- Trusted, it skips the second step until then and in that epoch.
    trusted_at BIGINT,
    trusted_until BIGINT,
    epoch BIGINT,
    revoked_at BIGINT
);

CREATE UNIQUE INDEX device_digest ON device (digest, person_id);

CREATE INDEX device_person ON device (organisation_id, person_id);

CREATE INDEX device_used ON device (last_used_at);

CREATE TABLE link (
    id UUID NOT NULL PRIMARY KEY,
    organisation_id UUID NOT NULL,
    person_id UUID NOT NULL,
    kind TEXT NOT NULL,
    -- Inside the token, which is a keyed hash over the id and this.
    salt BYTEA NOT NULL,
    -- Empty until the token is given out.
    digest BYTEA,
    -- The person's when it was made: what raises it ends links to passwords as well.
    epoch BIGINT NOT NULL,
    details TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    used_at BIGINT
);

CREATE UNIQUE INDEX link_digest ON link (digest) WHERE digest IS NOT NULL;

CREATE INDEX link_person ON link (organisation_id, person_id);

CREATE INDEX link_expires ON link (expires_at);

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

CREATE INDEX contact_unproven ON contact (created_at) WHERE proven_at IS NULL;

-- What a person signed in with before: for a week, "This was not me" brings it back.
CREATE TABLE former_address (
    id UUID NOT NULL PRIMARY KEY,
    organisation_id UUID NOT NULL,
    person_id UUID NOT NULL,
    value TEXT NOT NULL,
    -- When another took its place.
    until_at BIGINT NOT NULL
);

CREATE INDEX former_address_person ON former_address (organisation_id, person_id);

CREATE INDEX former_address_until ON former_address (until_at);

CREATE TABLE miss (
    -- A keyed hash of an address or of an authenticator's id.
    subject BYTEA NOT NULL,
    -- The known device with a count of its own, or nil.
    bucket UUID NOT NULL,
    -- Tries since the last right one, those that are being looked at with them.
    n BIGINT NOT NULL,
    -- Those that were found wrong.
    n_wrong BIGINT NOT NULL DEFAULT 0,
    last_at BIGINT NOT NULL,
    wait_until BIGINT NOT NULL,
    PRIMARY KEY (subject, bucket)
);

CREATE INDEX miss_last ON miss (last_at);

-- Whose alone it is: a person's, and that of a mail account which serves one person. It ends with them.
ALTER TABLE login ADD COLUMN person_id UUID;

UPDATE login SET person_id = target_id WHERE target = 'person';

CREATE INDEX login_person ON login (organisation_id, person_id);

ALTER TABLE app_password ADD COLUMN application TEXT;

ALTER TABLE app_password ADD COLUMN device TEXT;

ALTER TABLE app_password ADD COLUMN created_by UUID;

CREATE INDEX app_password_maker ON app_password (organisation_id, created_by);

-- Its successor, while both work.
ALTER TABLE app_password ADD COLUMN replaced_by UUID;
