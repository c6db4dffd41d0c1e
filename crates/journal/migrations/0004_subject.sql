-- What happened to one thing.
CREATE INDEX journal_subject ON journal (organisation_id, subject_id, id)
    WHERE subject_id IS NOT NULL;
