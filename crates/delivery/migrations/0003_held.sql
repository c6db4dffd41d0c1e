-- What is held by hand, by account.
CREATE INDEX delivery_held ON delivery (mail_account_id)
    WHERE state = 'held';
