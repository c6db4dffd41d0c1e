-- The letters of one login, for people who see only their own.
CREATE INDEX submission_of_login ON submission (organisation_id, login_id, id)
    WHERE login_id IS NOT NULL;

-- What is not finished, however much is.
CREATE INDEX submission_open ON submission (organisation_id, id)
    WHERE finished_at IS NULL;
