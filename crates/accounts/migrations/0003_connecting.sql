-- A mailbox while it is being connected; with an account, the signing in again of that one.
CREATE TABLE draft (
    id UUID NOT NULL PRIMARY KEY,
    organisation_id UUID NOT NULL,
    -- Whose it is; a local command's where nobody's.
    person_id UUID,
    mail_account_id UUID,
    -- The grant that the account had when this began.
    grant_id UUID,
    -- What the account said of itself then: signing in again writes back nothing that was edited meanwhile.
    account_was TEXT,
    -- Raised by each change of what a check proves.
    revision BIGINT NOT NULL,
    details TEXT NOT NULL,
    secret_sealed BYTEA,
    -- Who signed in, and by which application: taking a token back may end what others have.
    oauth_client_id UUID,
    subject TEXT,
    -- Why the last sign-in brought nothing.
    refused TEXT,
    -- The steps of the last check, as far as they went.
    steps TEXT,
    checking_until BIGINT,
    checked_at BIGINT,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    finished_at BIGINT
);

CREATE INDEX draft_organisation ON draft (organisation_id, created_at);

CREATE INDEX draft_expiry ON draft (expires_at);

CREATE INDEX draft_subject ON draft (oauth_client_id, subject)
    WHERE secret_sealed IS NOT NULL AND oauth_client_id IS NOT NULL;

CREATE INDEX credential_subject ON credential (oauth_client_id, subject)
    WHERE retired_at IS NULL AND oauth_client_id IS NOT NULL;

-- One sign-in at a provider, found by the keyed hash of its state.
CREATE TABLE oauth_flow (
    digest BYTEA NOT NULL PRIMARY KEY,
    organisation_id UUID NOT NULL,
    draft_id UUID NOT NULL,
    revision BIGINT NOT NULL,
    person_id UUID,
    -- The line of sessions it began in, and the keyed hash of the cookie made for it. None of them: a local command.
    lineage_id UUID,
    browser BYTEA,
    service TEXT NOT NULL,
    oauth_client_id UUID NOT NULL,
    verifier_sealed BYTEA NOT NULL,
    token_url TEXT NOT NULL,
    redirect_uri TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    used_at BIGINT
);

CREATE INDEX oauth_flow_draft ON oauth_flow (draft_id);

CREATE INDEX oauth_flow_expiry ON oauth_flow (expires_at);
