-- Raised by each change of an organisation's accounts, so that whoever remembers them looks at one row.
CREATE TABLE account_change (
    organisation_id UUID NOT NULL PRIMARY KEY,
    serial BIGINT NOT NULL
);

-- The change that an account was last part of.
ALTER TABLE mail_account ADD COLUMN change_serial BIGINT NOT NULL DEFAULT 0;
