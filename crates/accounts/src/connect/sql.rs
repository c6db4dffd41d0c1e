//! Every statement about drafts and sign-ins.

gatepost_store::statements! {
    /// A new draft.
    INSERT_DRAFT = "
        INSERT INTO draft
            (id, organisation_id, person_id, mail_account_id, grant_id, account_was, revision, details, created_at, expires_at)
        VALUES ($1, $2, $3, $4, $5, $6, 1, $7, $8, $9)";

    /// Those of one person that are open; `$4`, the nil id, stands for nobody's.
    LIST_DRAFTS = "
        SELECT id, organisation_id, person_id, mail_account_id, grant_id, revision, details, secret_sealed, refused, steps,
            checking_until, checked_at, created_at, expires_at, finished_at, account_was
        FROM draft
        WHERE organisation_id = $1 AND expires_at > $2 AND finished_at IS NULL AND COALESCE(person_id, $4) = $3
        ORDER BY created_at DESC, id DESC
        LIMIT 1000";

    /// One draft.
    FIND_DRAFT = "
        SELECT id, organisation_id, person_id, mail_account_id, grant_id, revision, details, secret_sealed, refused, steps,
            checking_until, checked_at, created_at, expires_at, finished_at, account_was
        FROM draft
        WHERE organisation_id = $1 AND id = $2 AND expires_at > $3";

    /// Something that proves nothing was changed.
    PUT_NAMES = "
        UPDATE draft
        SET details = $4
        WHERE organisation_id = $1 AND id = $2 AND revision = $3 AND finished_at IS NULL";

    /// Something was changed on which what was proven depends: all of that is gone.
    PUT_DETAILS = "
        UPDATE draft
        SET details = $4, revision = revision + 1, secret_sealed = NULL, oauth_client_id = NULL, subject = NULL,
            refused = NULL, steps = NULL, checking_until = NULL, checked_at = NULL
        WHERE organisation_id = $1 AND id = $2 AND revision = $3 AND finished_at IS NULL";

    /// Another secret. What was checked with the one before is gone.
    PUT_SECRET = "
        UPDATE draft
        SET revision = revision + 1, secret_sealed = $4, oauth_client_id = $5, subject = $6, refused = NULL, steps = NULL,
            checking_until = NULL, checked_at = NULL
        WHERE organisation_id = $1 AND id = $2 AND revision = $3 AND finished_at IS NULL";

    /// The same secret with another access token.
    PUT_TOKENS = "
        UPDATE draft
        SET secret_sealed = $4
        WHERE organisation_id = $1 AND id = $2 AND revision = $3 AND finished_at IS NULL";

    /// A sign-in brought nothing.
    PUT_REFUSED = "
        UPDATE draft
        SET refused = $4
        WHERE organisation_id = $1 AND id = $2 AND revision = $3 AND finished_at IS NULL";

    /// A check begins, unless one is under way.
    CLAIM_CHECK = "
        UPDATE draft
        SET checking_until = $5, checked_at = NULL, steps = NULL, refused = NULL
        WHERE organisation_id = $1 AND id = $2 AND revision = $3 AND finished_at IS NULL AND secret_sealed IS NOT NULL
            AND (checking_until IS NULL OR checking_until <= $4 OR checking_until > $5)";

    /// So far it has come.
    PUT_STEPS = "
        UPDATE draft
        SET steps = $5, checking_until = $6
        WHERE organisation_id = $1 AND id = $2 AND revision = $3 AND checking_until = $4";

    /// It is over.
    END_CHECK = "
        UPDATE draft
        SET steps = $5, checked_at = $6, checking_until = NULL
        WHERE organisation_id = $1 AND id = $2 AND revision = $3 AND checking_until = $4";

    /// It became an account, or that account's secret. What it held is forgotten.
    FINISH_DRAFT = "
        UPDATE draft
        SET finished_at = $4, mail_account_id = $5, secret_sealed = NULL, oauth_client_id = NULL, subject = NULL,
            checking_until = NULL
        WHERE organisation_id = $1 AND id = $2 AND revision = $3 AND finished_at IS NULL";

    /// It was given up.
    DELETE_DRAFT = "
        DELETE FROM draft
        WHERE organisation_id = $1 AND id = $2 AND finished_at IS NULL";

    /// Those with a grant whose time is over.
    LIST_OLD_GRANTS = "
        SELECT id, organisation_id, person_id, mail_account_id, grant_id, revision, details, secret_sealed, refused, steps,
            checking_until, checked_at, created_at, expires_at, finished_at, account_was
        FROM draft
        WHERE expires_at <= $1 AND secret_sealed IS NOT NULL AND oauth_client_id IS NOT NULL
        ORDER BY expires_at
        LIMIT 1000";

    /// Their time is over.
    DELETE_OLD_DRAFTS = "
        DELETE FROM draft
        WHERE expires_at <= $1";

    /// A sign-in begins.
    INSERT_FLOW = "
        INSERT INTO oauth_flow
            (digest, organisation_id, draft_id, revision, person_id, lineage_id, browser, service, oauth_client_id,
             verifier_sealed, token_url, redirect_uri, created_at, expires_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)";

    /// One sign-in.
    FIND_FLOW = "
        SELECT organisation_id, draft_id, revision, person_id, lineage_id, browser, service, oauth_client_id,
            verifier_sealed, token_url, redirect_uri, used_at
        FROM oauth_flow
        WHERE digest = $1 AND expires_at > $2 AND created_at <= $2";

    /// The newest of a draft.
    FIND_FLOW_OF_DRAFT = "
        SELECT created_at, expires_at, used_at, service, redirect_uri
        FROM oauth_flow
        WHERE organisation_id = $1 AND draft_id = $2 AND revision = $3
        ORDER BY created_at DESC
        LIMIT 1";

    /// It is used, once.
    USE_FLOW = "
        UPDATE oauth_flow
        SET used_at = $2
        WHERE digest = $1 AND used_at IS NULL AND expires_at > $2";

    /// Those of a draft end.
    DELETE_FLOWS = "
        DELETE FROM oauth_flow
        WHERE organisation_id = $1 AND draft_id = $2";

    /// Their time is over.
    DELETE_OLD_FLOWS = "
        DELETE FROM oauth_flow
        WHERE expires_at <= $1";

    /// Others that the same person at the service has granted the same application, here and in drafts.
    COUNT_GRANTS = "
        SELECT
            (SELECT COUNT(*) FROM credential c
                WHERE c.oauth_client_id = $1 AND c.subject = $2 AND c.retired_at IS NULL) +
            (SELECT COUNT(*) FROM draft d
                WHERE d.oauth_client_id = $1 AND d.subject = $2 AND d.secret_sealed IS NOT NULL)";
}
