CREATE TABLE notice (
    id UUID NOT NULL PRIMARY KEY,
    organisation_id UUID NOT NULL,
    kind TEXT NOT NULL,
    person_id UUID NOT NULL,
    -- One a line.
    addresses TEXT NOT NULL,
    -- The one-time link that the letter carries.
    link_id UUID,
    details TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    next_try_at BIGINT NOT NULL,
    n_tries BIGINT NOT NULL,
    done_at BIGINT,
    -- Why it has not left yet, or was given up.
    because TEXT
);

CREATE INDEX notice_due ON notice (next_try_at) WHERE done_at IS NULL;

CREATE INDEX notice_person ON notice (organisation_id, person_id);
