-- What one person has done.
CREATE INDEX journal_actor ON journal (organisation_id, actor_id, id);

CREATE INDEX notice_done ON notice (done_at) WHERE done_at IS NOT NULL;
