CREATE TABLE submission (
    organisation_id UUID NOT NULL,
    id UUID NOT NULL,
    origin TEXT NOT NULL,
    origin_id UUID,
    login_id UUID,
    app_password_id UUID,
    mail_account_id UUID,
    chosen_because TEXT NOT NULL,
    reverse_path TEXT NOT NULL,
    message_id TEXT NOT NULL,
    size_bytes BIGINT NOT NULL,
    is_smtputf8 BOOLEAN NOT NULL,
    is_8bit BOOLEAN NOT NULL,
    dsn_ret TEXT,
    dsn_envid TEXT,
    client TEXT NOT NULL,
    accepted_at BIGINT NOT NULL,
    finished_at BIGINT,
    body_erased_at BIGINT,
    PRIMARY KEY (organisation_id, id)
);

-- Bodies past their retention.
CREATE INDEX submission_to_erase ON submission (finished_at)
    WHERE finished_at IS NOT NULL AND body_erased_at IS NULL;

CREATE TABLE delivery (
    submission_id UUID NOT NULL,
    ordinal BIGINT NOT NULL,
    organisation_id UUID NOT NULL,
    mail_account_id UUID,
    recipient TEXT NOT NULL,
    dsn_notify TEXT,
    dsn_orcpt TEXT,
    state TEXT NOT NULL,
    because TEXT,
    next_attempt_at BIGINT NOT NULL,
    n_attempts BIGINT NOT NULL,
    life_ends_at BIGINT,
    life_left_ms BIGINT,
    attempt_id UUID,
    is_uncertain BOOLEAN NOT NULL,
    changed_at BIGINT NOT NULL,
    PRIMARY KEY (submission_id, ordinal)
);

-- What is due, and when the next is due (its first entry after 0).
CREATE INDEX delivery_due ON delivery (mail_account_id, next_attempt_at, submission_id)
    WHERE attempt_id IS NULL AND state IN ('waiting', 'deferred');

-- What someone has in hand.
CREATE INDEX delivery_in_hand ON delivery (mail_account_id, attempt_id)
    WHERE attempt_id IS NOT NULL;

-- The outbox by state; waiting and sent rows cost nothing here.
CREATE INDEX delivery_by_state ON delivery (organisation_id, state, submission_id)
    WHERE state IN ('deferred', 'held', 'failed', 'cancelled');

CREATE TABLE attempt (
    id UUID NOT NULL PRIMARY KEY,
    organisation_id UUID NOT NULL,
    submission_id UUID NOT NULL,
    mail_account_id UUID NOT NULL,
    node_id UUID NOT NULL,
    fence BIGINT NOT NULL,
    started_at BIGINT NOT NULL
);

CREATE INDEX attempt_submission ON attempt (submission_id);

CREATE TABLE outcome (
    attempt_id UUID NOT NULL,
    ordinal BIGINT NOT NULL,
    organisation_id UUID NOT NULL,
    submission_id UUID NOT NULL,
    at BIGINT NOT NULL,
    result TEXT NOT NULL,
    code BIGINT,
    reply BYTEA,
    PRIMARY KEY (attempt_id, ordinal)
);

CREATE INDEX outcome_submission ON outcome (submission_id);
