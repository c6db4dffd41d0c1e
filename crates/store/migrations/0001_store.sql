CREATE TABLE node (
    id UUID NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    program_version TEXT NOT NULL,
    started_at BIGINT NOT NULL,
    heartbeat_at BIGINT NOT NULL,
    stopped_at BIGINT
);

CREATE TABLE lease (
    resource_id UUID NOT NULL PRIMARY KEY,
    organisation_id UUID NOT NULL,
    node_id UUID NOT NULL,
    fence BIGINT NOT NULL,
    taken_at BIGINT NOT NULL
);

CREATE TABLE wrapped_key (
    id UUID NOT NULL PRIMARY KEY,
    organisation_id UUID NOT NULL,
    purpose TEXT NOT NULL,
    -- Counted from 1970-01-01; -1 for keys that have no day, because NULLs are never equal in a unique index.
    day BIGINT NOT NULL,
    serial BIGINT NOT NULL,
    wrapped BYTEA NOT NULL,
    wrapped_by UUID NOT NULL,
    public_part BYTEA,
    created_at BIGINT NOT NULL,
    destroyed_at BIGINT
);

CREATE UNIQUE INDEX wrapped_key_use ON wrapped_key (organisation_id, purpose, day, serial);

CREATE TABLE body (
    id UUID NOT NULL PRIMARY KEY,
    organisation_id UUID NOT NULL,
    key_id UUID NOT NULL,
    sealed_key BYTEA NOT NULL,
    size_bytes BIGINT NOT NULL,
    place TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    content BYTEA
);

CREATE INDEX body_key ON body (key_id);
