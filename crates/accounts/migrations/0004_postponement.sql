-- "Later": one person's pop-up about the trouble of an account that began at a time is silent until another.
CREATE TABLE postponement (
    person_id UUID NOT NULL,
    mail_account_id UUID NOT NULL,
    organisation_id UUID NOT NULL,
    since_at BIGINT NOT NULL,
    until_at BIGINT NOT NULL,
    PRIMARY KEY (person_id, mail_account_id)
);
