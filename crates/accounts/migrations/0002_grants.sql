-- Raised by each change of an organisation's accounts, so that whoever remembers them looks at one row.
CREATE TABLE account_change (
    organisation_id UUID NOT NULL PRIMARY KEY,
    serial BIGINT NOT NULL
);

-- The change that an account was last part of.
ALTER TABLE mail_account ADD COLUMN change_serial BIGINT NOT NULL DEFAULT 0;

-- The mailbox that is opened, where it is another than the one that signs in.
ALTER TABLE mail_account ADD COLUMN opens TEXT;

-- Further addresses that letters of an account may come from.
CREATE TABLE account_address (
    mail_account_id UUID NOT NULL,
    address_key TEXT NOT NULL,
    organisation_id UUID NOT NULL,
    address TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (mail_account_id, address_key)
);

CREATE INDEX account_address_organisation ON account_address (organisation_id);
