CREATE TABLE journal (
    id UUID NOT NULL PRIMARY KEY,
    organisation_id UUID NOT NULL,
    node_id UUID,
    at BIGINT NOT NULL,
    actor TEXT NOT NULL,
    actor_id UUID,
    action TEXT NOT NULL,
    subject TEXT NOT NULL,
    subject_id UUID,
    details TEXT NOT NULL
);

CREATE INDEX journal_organisation ON journal (organisation_id, id);
