//! What nobody has written down: other cases, other line lengths, other hosts, other numbers. Each still gets its rule, or
//! the general one of its protocol.

use super::grants::grant;
use super::reading::{imap, pop3};
use super::*;

#[test]
fn twenty_unseen_variants_get_their_rule_or_the_general_one() {
    let smtp = |kind: &str, phase, pasted: &str, want: &str| check(kind, phase, pasted, want);
    let read = |got: Diagnosis, want: &str| assert_eq!(got.rule, want);
    use Phase::{Auth, Mail, Message, Recipient, Upkeep};

    smtp(
        "microsoft",
        Auth,
        "535 5.7.139 authentication UNSUCCESSFUL, basic\r\nauthentication is Disabled. [ZR0P278CA0170.CHEP278]",
        "ms-basic-disabled",
    );
    smtp(
        "microsoft",
        Auth,
        "535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication\nis disabled for the\nMailbox.",
        "ms-smtp-auth-mailbox",
    );
    smtp(
        "microsoft",
        Message,
        "554 5.2.252 SENDASDENIED; reception@praxis.example not allowed to send as info@praxis.example",
        "ms-sendas-252",
    );
    smtp(
        "microsoft",
        Mail,
        "530 5.7.57 Client not authenticated to send mail. [AM6P191CA0079.EURP191.PROD.OUTLOOK.COM 2026-11-02T08:00:00.000Z 08DB]",
        "ms-57-57",
    );
    smtp(
        "google",
        Auth,
        "535 5.7.8 username and password\r\n5.7.8 not accepted. For more information, go to\r\n5.7.8 https://support.google.com/mail/?p=BadCredentials 5b1f17b1804b1-4321 - gsmtp",
        "g-535-58",
    );
    smtp("google", Auth, "534 5.7.9 Application-Specific Password Required. q9-20020a05 - gsmtp", "g-534-59");
    smtp("google", Message, "550 5.4.5 DAILY USER SENDING LIMIT EXCEEDED. zz123 - gsmtp", "g-545-day");
    smtp("yahoo", Auth, "535 5.7.0 (#auth999) incorrect user name or password", "y-535");
    smtp("zoho", Message, "553 relaying disallowed as someone.else@practice.example", "zo-553");
    smtp(
        "custom",
        Recipient,
        "550 5.1.1 <nobody@example.net>:\r\nuser unknown in virtual mailbox table",
        "x-user-unknown",
    );
    smtp("custom", Auth, "535 5.7.8 no, and I shall not say why", "x-sign-in-refused");
    read(
        imap(
            Some("google"),
            Auth,
            "no [alert] application-specific PASSWORD required: https://support.google.com/accounts/answer/999 (failure)",
        ),
        "im-g-app",
    );
    read(
        imap(
            Some("microsoft"),
            Auth,
            "NO [AUTHENTICATIONFAILED] AuthFailed:LogonDenied-BasicAuthBlocked-<UserType:OrgId>",
        ),
        "im-ms-basic",
    );
    read(
        imap(
            Some("microsoft"),
            Upkeep,
            "BAD  Request is throttled.  Suggested Backoff Time:  7 milliseconds",
        ),
        "im-ms-throttle",
    );
    read(
        imap(Some("custom"), Auth, "NO [AUTHENTICATIONFAILED] Falscher Benutzername oder falsches Passwort."),
        "im-authfailed",
    );
    read(imap(Some("custom"), Upkeep, "NO something about quota nobody ever said"), "im-refused");
    read(
        pop3(Some("google"), Auth, "-ERR [SYS/PERM] your account is NOT ENABLED FOR POP access."),
        "pop-g-off",
    );
    read(pop3(Some("custom"), Upkeep, "-ERR [in-use] mailbox locked by pid 4711"), "pop-inuse");
    read(
        grant(
            Some("microsoft"),
            "invalid_grant",
            "bad_token 50173 AADSTS50173: El permiso expiró. Trace ID: 5f-77",
        ),
        "ms-50173",
    );
    read(
        grant(Some("microsoft"), "invalid_grant", "98765 AADSTS98765: a number of next year"),
        "x-generic-grant",
    );
    read(grant(Some("google"), "invalid_grant", "token has been EXPIRED or revoked."), "g-revoked");
    read(grant(Some("fastmail"), "invalid_grant", "Refresh token abgelaufen"), "x-generic-grant");
}
