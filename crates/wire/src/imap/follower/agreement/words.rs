//! Commands and responses as `imap-codec` writes them, with strings that look like something else.

use imap_codec::decode::Decoder as _;
use imap_codec::encode::{Encoder as _, Fragment};
use imap_codec::{CommandCodec, ResponseCodec};
use proptest::prelude::*;
use proptest::sample::select;

/// What a string may hold that a reader of something else would take for an end, an announcement, or a command.
fn inside() -> impl Strategy<Value = String> {
    let parts = [
        "x",
        "\r\n",
        "b LOGIN x y\r\n",
        "{4}\r\n",
        "{2+}\r\n",
        "{9}",
        "~{3}",
        "\"",
        "\\",
        ")",
        "(",
        " ",
        "* BYE x\r\n",
        "+ go\r\n",
        "a OK x\r\n",
        "DONE\r\n",
        "\u{f6}",
        "{4294967296}",
    ];
    proptest::collection::vec(select(parts.to_vec()), 0..5).prop_map(|it| it.concat())
}

fn literal(mark: &'static str) -> impl Strategy<Value = String> {
    inside().prop_map(move |it| format!("{{{}{mark}}}\r\n{it}", it.len()))
}

fn quoted() -> impl Strategy<Value = String> {
    inside().prop_map(|it| {
        let it: String = it.chars().filter(|it| it.is_ascii() && !it.is_ascii_control()).collect();
        format!("\"{}\"", it.replace('\\', "\\\\").replace('"', "\\\""))
    })
}

fn string(marks: &'static [&'static str]) -> impl Strategy<Value = String> {
    prop_oneof![
        select(vec!["x", "NIL"]).prop_map(str::to_owned),
        quoted(),
        select(marks).prop_flat_map(literal)
    ]
}

/// As many strings as the words want, each in place of a `$`; `~` is a literal of octets (RFC 3516).
fn filled(words: &'static [&'static str], marks: &'static [&'static str]) -> impl Strategy<Value = Vec<u8>> {
    let octets = select(marks).prop_flat_map(literal);
    (select(words), proptest::collection::vec(string(marks), 6), octets).prop_map(
        |(words, strings, octets)| {
            let mut strings = strings.iter();
            let fill = |it| match it {
                '$' => strings.next().expect("no more than six").clone(),
                '~' => format!("~{octets}"),
                it => it.to_string(),
            };
            words.chars().map(fill).collect::<String>().into_bytes()
        },
    )
}

const COMMANDS: &[&str] = &[
    "NOOP",
    "IDLE",
    "LOGOUT",
    "SELECT $",
    "EXAMINE $",
    "CREATE $",
    "RENAME $ $",
    "LIST $ $",
    "STATUS $ (MESSAGES UIDNEXT)",
    "FETCH 1:* (FLAGS BODY.PEEK[HEADER.FIELDS ($ $)]<0.5> BINARY[1])",
    "UID FETCH 1,3:* (BODYSTRUCTURE BODY[1.2.TEXT])",
    "STORE 1 +FLAGS.SILENT (\\Seen x)",
    "UID STORE 1:2 FLAGS (\\Deleted)",
    "UID COPY 2 $",
    "MOVE 2 $",
    "SEARCH CHARSET \"utf-8\" (OR SUBJECT $ NOT (FROM $)) TEXT $",
    "UID SEARCH HEADER $ $ BODY $",
    "APPEND $ (\\Seen) {3}\r\nabc",
    "APPEND $ {5+}\r\n\r\n)\r\n",
    "APPEND $ (\\Seen) \"01-Jan-2027 00:00:01 +0000\" ~",
    "ID ($ $)",
    "ENABLE CONDSTORE",
    "NAMESPACE",
    "GETQUOTAROOT $",
    "SETQUOTA $ (STORAGE 5)",
    // What is kept back.
    "LOGIN $ $",
    "AUTHENTICATE PLAIN",
    "AUTHENTICATE PLAIN AHgAeQ==",
    "STARTTLS",
    "COMPRESS DEFLATE",
];

const RESPONSES: &[&str] = &[
    "* 3 EXISTS",
    "* 2 EXPUNGE",
    "* SEARCH 1 2",
    "* FLAGS (\\Seen x)",
    "* LIST (\\Noselect) \"/\" $",
    "* LSUB () NIL $",
    "* STATUS $ (MESSAGES 1)",
    "* QUOTA $ (STORAGE 1 2)",
    "* QUOTAROOT $ $ $",
    "* ID ($ $ $ $)",
    "* NAMESPACE (($ \"/\")) NIL NIL",
    "* 1 FETCH (BODY[] $ FLAGS (\\Seen) UID 5)",
    "* 1 FETCH (BODY[HEADER.FIELDS ($ $)]<5> $ RFC822.SIZE 9 RFC822.TEXT $)",
    "* 1 FETCH (BINARY[1.2] ~ BINARY.SIZE[1] 5)",
    "* 1 FETCH (ENVELOPE ($ $ (($ NIL \"x\" $)) NIL NIL NIL NIL NIL $ $))",
    "* 1 FETCH (BODYSTRUCTURE ((\"text\" \"plain\" ($ $) $ $ \"7bit\" 5 1)(\"a\" \"b\" NIL $ NIL \"7bit\" 5) \"mixed\"))",
    "* OK blah {5}",
    "* OK [UIDNEXT 5] ~{5+}",
    "* OK [ALERT] \"x {3}",
    "* NO [X-Y {3}] {3}",
    "* BAD {0}",
    "a OK {18446744073709551616}",
    "b NO [TRYCREATE] (",
    "+ go {3}",
    "+ AHgAeQ==",
    "* CAPABILITY IMAP4rev1 COMPRESS=DEFLATE IDLE",
    "c OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] done {2}",
    "* BYE {3}",
];

/// Words with their CRLF. Atoms stand where nothing else may, and nothing but a string may stand in some places.
fn finished(words: Vec<u8>) -> Vec<u8> {
    [words, b"\r\n".to_vec()].concat()
}

/// A command as a client says it, in fragments. Its tag is what it begins with.
pub(super) fn command() -> impl Strategy<Value = Vec<Fragment>> {
    (select(vec!["a", "Z9.]", "b1"]), filled(COMMANDS, &["", "+"])).prop_filter_map(
        "not a command",
        |(tag, words)| {
            let wire = finished([tag.as_bytes(), b" ", &words].concat());
            let (rest, command) = CommandCodec::new().decode(&wire).ok()?;
            rest.is_empty().then(|| CommandCodec::new().encode(&command).collect())
        },
    )
}

/// A response as a server says it.
pub(super) fn response() -> impl Strategy<Value = Vec<u8>> {
    filled(RESPONSES, &["", "+"]).prop_filter_map("not a response", |words| {
        let wire = finished(words);
        let (rest, response) = ResponseCodec::new().decode(&wire).ok()?;
        rest.is_empty().then(|| ResponseCodec::new().encode(&response).dump())
    })
}

#[test]
fn all_words_are_taken() {
    // Else a law about them would be about nothing.
    for words in COMMANDS {
        let wire =
            finished(format!("a {}", words.replace('$', "\"x\"").replace('~', "~{1}\r\n\0")).into_bytes());
        assert!(CommandCodec::new().decode(&wire).is_ok(), "{words}");
    }
    for words in RESPONSES {
        let filled = words.replace("$", "\"x\"").replace(" ~ ", " ~{1}\r\n\0 ");
        assert!(ResponseCodec::new().decode(&finished(filled.into_bytes())).is_ok(), "{words}");
    }
}
