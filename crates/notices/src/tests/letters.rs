//! Every letter as it is read.

use gatepost_core::{LinkId, NoticeId, OrganisationId, PersonId, SecretText, Timestamp};
use gatepost_journal::{DueNotice, NoticeKind, OpenNotice};
use gatepost_wire::message::Letter;
use serde_json::{Value, json};

use crate::compose::{Beside, compose};
use crate::texts::Texts;

/// What a room would write down with each kind.
fn details(kind: NoticeKind) -> Value {
    match kind {
        NoticeKind::TwoStepReset | NoticeKind::PasswordResetByAdministrator => {
            json!({ "by": "Bea Example (bea@example.org)" })
        }
        NoticeKind::Invitation => json!({ "by": "Bea Example (bea@example.org)" }),
        NoticeKind::AppPasswordMade => json!({
            "name": "TDO at reception", "may": "SMTP, IMAP, POP3", "device": "Firefox on Windows", "source": "192.0.2.7",
        }),
        NoticeKind::ContactChanged => json!({
            "name": "address removed", "address": "ana@home.test", "device": "Firefox on Windows", "source": "192.0.2.7",
        }),
        NoticeKind::AccountSecured => json!({
            "address": "ana@example.org", "removed": "eve@evil.test, +49 30 123456", "device": "Firefox on Windows",
            "source": "192.0.2.7",
        }),
        _ => json!({ "device": "Firefox on Windows", "source": "192.0.2.7" }),
    }
}

fn read(kind: NoticeKind, details: Value, link: Option<&str>) -> String {
    let (world, _) = gatepost_testkit::world();
    let notice = OpenNotice {
        due: DueNotice { organisation: OrganisationId::new(&world), id: NoticeId::new(&world), n_tries: 1 },
        kind,
        person: PersonId::new(&world),
        addresses: vec!["ana@example.org".parse().unwrap()],
        link: link.map(|_| LinkId::new(&world)),
        details,
        created_at: Timestamp::from_millis(1_795_252_320_007),
        because: None,
    };
    let link = link.map(|it| SecretText::new(it.to_owned()));
    let words = compose(
        &Texts::english(),
        &notice,
        &Beside { organisation: Some("Praxis Süd"), link: link.as_ref() },
    );
    let letter = Letter {
        author: "Praxis Süd",
        from: &"reception@example.org".parse().unwrap(),
        to: &notice.addresses[0],
        subject: &words.subject,
        at: notice.created_at,
        message_id: "<1@example.org>",
        paragraphs: &words.paragraphs,
    };
    String::from_utf8(letter.write().bytes).unwrap().replace("\r\n", "\n")
}

#[test]
fn every_letter_says_what_when_where_and_what_to_do() {
    let link = "https://gatepost.example.org/link?token=2OJzWmbf6Gh1G-hd7hJTXM2Fd9OAfiEphgqSKKdaRLg";
    for kind in NoticeKind::ALL {
        let text = read(*kind, details(*kind), Some(link));
        assert!(text.contains(&format!("\n{link}\n")), "the link stands alone on its line: {text}");
        assert!(!text.contains(['{', '}']), "{text}");
        insta::assert_snapshot!(kind.to_string(), text);
    }
}

#[test]
fn without_link_device_and_source_a_letter_says_whom_to_tell() {
    insta::assert_snapshot!(
        "by_command",
        read(NoticeKind::TwoStepReset, json!({ "by": "a command on the server" }), None)
    );
}
