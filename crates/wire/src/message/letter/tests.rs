use proptest::prelude::*;

use super::*;
use crate::message::{HeaderBlock, MailboxOrGroup, parse_address_list};

const FIELDS: [&str; 9] = [
    "From",
    "To",
    "Subject",
    "Date",
    "Message-ID",
    "Auto-Submitted",
    "MIME-Version",
    "Content-Type",
    "Content-Transfer-Encoding",
];

fn address(text: &str) -> EmailAddress {
    text.parse().unwrap()
}

fn write(author: &str, subject: &str, paragraphs: &[String]) -> WrittenMessage {
    let (from, to) = (address("reception@example.org"), address("ana@example.org"));
    let at = Timestamp::from_millis(1_795_252_320_007);
    Letter { author, from: &from, to: &to, subject, at, message_id: "<1@example.org>", paragraphs }.write()
}

fn text(message: &WrittenMessage) -> &str {
    std::str::from_utf8(&message.bytes).unwrap()
}

/// The value of each field, and the text.
fn read(message: &WrittenMessage) -> (Vec<(String, String)>, String) {
    let (header, body) = text(message).split_once("\r\n\r\n").expect("an empty line");
    let block = HeaderBlock::parse(format!("{header}\r\n").as_bytes()).unwrap();
    let fields = block
        .fields()
        .map(|field| (field.name().to_owned(), String::from_utf8(field.value().into_owned()).unwrap()));
    (fields.collect(), body.to_owned())
}

fn decoded(value: &str) -> String {
    let pieces = value.split_ascii_whitespace().map(|word| {
        assert!(word.len() <= 75, "RFC 2047 §2: {word}");
        let inner = word.strip_prefix("=?utf-8?B?").and_then(|it| it.strip_suffix("?=")).expect(word);
        String::from_utf8(STANDARD.decode(inner).unwrap()).expect("whole characters")
    });
    pieces.collect()
}

#[test]
fn a_letter_has_these_fields_and_no_others() {
    let paragraphs = ["First.\nSecond line.".to_owned(), "Last.".to_owned()];
    let message = write("Practice \"Example\"", "Hello", &paragraphs);
    assert_eq!(
        text(&message),
        "From: \"Practice \\\"Example\\\"\" <reception@example.org>\r\nTo: ana@example.org\r\nSubject: Hello\r\n\
         Date: Sat, 21 Nov 2026 09:12:00 +0000\r\nMessage-ID: <1@example.org>\r\nAuto-Submitted: auto-generated\r\n\
         MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 7bit\r\n\r\n\
         First.\r\nSecond line.\r\n\r\nLast.\r\n"
    );
    assert!(!message.is_8bit && !message.is_smtputf8);
}

#[test]
fn what_is_not_ascii_is_encoded_in_the_header_and_as_it_is_in_the_text() {
    let subject = "Einladung zur Praxis Süd in der Müllerstraße, erster Stock, neben der Apotheke";
    let message = write("Praxis Süd", subject, &["Grüße".to_owned()]);
    let (fields, body) = read(&message);
    assert_eq!(decoded(&fields[2].1), subject);
    assert_eq!(decoded(fields[0].1.split_once(" <").unwrap().0), "Praxis Süd");
    assert_eq!((body.as_str(), fields[8].1.as_str()), ("Grüße\r\n", "8bit"));
    assert!(message.is_8bit && !message.is_smtputf8);
}

#[test]
fn an_address_beyond_ascii_needs_smtputf8() {
    let (from, to) = (address("reception@example.org"), address("åsa@example.org"));
    let letter = Letter {
        author: "",
        from: &from,
        to: &to,
        subject: "x",
        at: Timestamp::EPOCH,
        message_id: "<1@b.test>",
        paragraphs: &[],
    };
    assert!(letter.write().is_smtputf8);
    assert!(text(&letter.write()).starts_with("From: reception@example.org\r\n"));
}

#[test]
fn no_name_begins_a_field_or_ends_the_header() {
    for hostile in
        ["x\r\nBcc: eve@evil.test", "x\nBcc: eve@evil.test", "x\r\n\r\nforged", "x\r", "\u{2028}", "\0"]
    {
        let message = write(hostile, hostile, &[format!("Before {hostile} after")]);
        let (fields, _) = read(&message);
        assert_eq!(fields.iter().map(|it| it.0.as_str()).collect::<Vec<_>>(), FIELDS, "{hostile:?}");
        assert!(!text(&message).replace("\r\n", "").contains(['\r', '\n', '\0']), "{hostile:?}");
    }
}

proptest! {
    #[test]
    fn whatever_is_typed_the_letter_has_its_fields_and_its_author(
        author in any::<String>(), subject in any::<String>(), paragraphs in prop::collection::vec(any::<String>(), 0..3),
    ) {
        let message = write(&author, &subject, &paragraphs);
        let (fields, _) = read(&message);
        prop_assert_eq!(fields.iter().map(|it| it.0.as_str()).collect::<Vec<_>>(), FIELDS);
        let list = parse_address_list(fields[0].1.as_bytes()).unwrap();
        let [MailboxOrGroup::Mailbox(one)] = list.as_slice() else { panic!("one mailbox: {list:?}") };
        prop_assert_eq!(one.address.as_str(), "reception@example.org");
        prop_assert!(text(&message).split("\r\n").all(|line| line.len() <= 998 && !line.contains(['\r', '\n'])));
    }
}
