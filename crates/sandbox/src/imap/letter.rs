//! A message taken apart as IMAP wants it: pieces, envelope, structure (RFC 9051 §7.5.2).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use gatepost_wire::imap::{Section, SectionOf};
use mail_parser::{Address, HeaderValue, Message, MessageParser, MimeHeaders as _, PartType};

/// How deep parts are described.
const MOST_LEVELS: usize = 10;

/// All octets of a message.
pub(super) struct Text(pub(super) Vec<u8>);

impl Text {
    /// Header and the empty line behind it; and the rest.
    fn split(&self) -> (&[u8], &[u8]) {
        split(&self.0)
    }

    /// A piece of the message; empty where there is none (RFC 9051 §6.4.5).
    pub(super) fn section(&self, section: &Section) -> Vec<u8> {
        if section.part.is_empty() {
            let (header, text) = self.split();
            return match &section.of {
                SectionOf::All => self.0.clone(),
                SectionOf::Header => header.to_vec(),
                SectionOf::Text => text.to_vec(),
                SectionOf::Fields(names) => fields(header, |it| has(names, it)),
                SectionOf::FieldsNot(names) => fields(header, |it| !has(names, it)),
                SectionOf::Mime => Vec::new(),
            };
        }
        let Some(message) = MessageParser::default().parse(&self.0) else { return Vec::new() };
        let Some((header, body)) = part(&message, &section.part) else { return Vec::new() };
        match &section.of {
            SectionOf::All => body.to_vec(),
            SectionOf::Mime => header.to_vec(),
            // Of a part that is a message.
            SectionOf::Header => split(body).0.to_vec(),
            SectionOf::Text => split(body).1.to_vec(),
            SectionOf::Fields(names) => fields(split(body).0, |it| has(names, it)),
            SectionOf::FieldsNot(names) => fields(split(body).0, |it| !has(names, it)),
        }
    }

    /// The value of ENVELOPE.
    pub(super) fn envelope(&self) -> String {
        MessageParser::default()
            .parse_headers(self.split().0)
            .map_or_else(|| "(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)".to_owned(), |it| envelope(&it))
    }

    /// The value of BODYSTRUCTURE, without what it may leave out.
    pub(super) fn structure(&self) -> String {
        match MessageParser::default().parse(&self.0) {
            Some(message) if !message.parts.is_empty() => structure(&message, 0, 0),
            _ => r#"("TEXT" "PLAIN" NIL NIL NIL "7BIT" 0 0)"#.to_owned(),
        }
    }

    /// The fields of the header with their values unfolded, as they came.
    pub(super) fn header_fields(&self) -> Vec<(String, String)> {
        let lines = unfolded(self.split().0);
        let pair = |line: &[u8]| {
            let text = String::from_utf8_lossy(line).replace(['\r', '\n'], "");
            text.split_once(':').map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned()))
        };
        lines.into_iter().filter_map(pair).collect()
    }

    pub(super) fn body(&self) -> &[u8] {
        self.split().1
    }
}

fn split(bytes: &[u8]) -> (&[u8], &[u8]) {
    if bytes.starts_with(b"\r\n") {
        return bytes.split_at(2);
    }
    let end = bytes.windows(4).position(|it| it == b"\r\n\r\n").map_or(bytes.len(), |at| at + 4);
    bytes.split_at(end)
}

/// Each field with the lines that continue it.
fn unfolded(header: &[u8]) -> Vec<&[u8]> {
    let mut fields = Vec::new();
    let (mut start, mut at) = (0, 0);
    for line in header.split_inclusive(|it| *it == b'\n') {
        let continues = line.starts_with(b" ") || line.starts_with(b"\t");
        if !continues && at > start {
            fields.push(header.get(start..at).unwrap_or_default());
            start = at;
        }
        at += line.len();
    }
    fields.push(header.get(start..at).unwrap_or_default());
    fields
}

fn fields(header: &[u8], is_wanted: impl Fn(&[u8]) -> bool) -> Vec<u8> {
    let mut out = Vec::new();
    for field in unfolded(header) {
        let name = field.split(|it| *it == b':').next().unwrap_or_default();
        if name.len() < field.len() && is_wanted(name.trim_ascii()) {
            out.extend_from_slice(field);
        }
    }
    out.extend_from_slice(b"\r\n");
    out
}

fn has(names: &[String], name: &[u8]) -> bool {
    names.iter().any(|it| it.as_bytes().eq_ignore_ascii_case(name))
}

/// MIME header and body of a part: of one that is not multipart, part 1 is the message itself.
fn part<'a>(message: &'a Message<'_>, numbers: &[u32]) -> Option<(&'a [u8], &'a [u8])> {
    let mut id = 0;
    for number in numbers {
        let at = usize::try_from(number.checked_sub(1)?).ok()?;
        id = match &message.parts.get(id)?.body {
            PartType::Multipart(children) => usize::try_from(*children.get(at)?).ok()?,
            _ if at == 0 => id,
            _ => return None,
        };
    }
    let found = message.parts.get(id)?;
    let raw = message.raw_message.as_ref();
    let at = |it: u32| usize::try_from(it).unwrap_or(usize::MAX);
    let header = raw.get(at(found.offset_header)..at(found.offset_body))?;
    Some((header, raw.get(at(found.offset_body)..at(found.offset_end))?))
}

fn envelope(message: &Message<'_>) -> String {
    let text = |name: &'static str| nstring(message.header_raw(name).map(|it| it.trim().replace("\r\n", "")));
    let people = |name: &'static str| {
        let found = message.header(name).and_then(HeaderValue::as_address).map(addresses);
        found.filter(|it| it != "()").unwrap_or_else(|| "NIL".to_owned())
    };
    // RFC 9051 §7.5.2: whoever is not named as sender or for replies is the author.
    let or_from = |name| Some(people(name)).filter(|it| it != "NIL").unwrap_or_else(|| people("From"));
    format!(
        "({} {} {} {} {} {} {} {} {} {})",
        text("Date"),
        text("Subject"),
        people("From"),
        or_from("Sender"),
        or_from("Reply-To"),
        people("To"),
        people("Cc"),
        people("Bcc"),
        text("In-Reply-To"),
        text("Message-ID"),
    )
}

fn addresses(list: &Address<'_>) -> String {
    let one = |it: &mail_parser::Addr<'_>| {
        let (local, domain) = it.address().and_then(|it| it.rsplit_once('@')).unwrap_or(("", ""));
        let name = nstring(it.name().map(encoded));
        format!("({name} NIL {} {})", nstring(Some(local.to_owned())), nstring(Some(domain.to_owned())))
    };
    format!("({})", list.iter().map(one).collect::<String>())
}

/// RFC 2047: what is no ASCII is encoded.
fn encoded(text: &str) -> String {
    if text.is_ascii() { text.to_owned() } else { format!("=?utf-8?b?{}?=", STANDARD.encode(text)) }
}

/// A quoted string, or a literal of what does not fit into one.
fn nstring(text: Option<String>) -> String {
    let Some(text) = text else { return "NIL".to_owned() };
    if text.len() < 1_000 && text.bytes().all(|it| matches!(it, b' '..=b'~')) {
        return format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""));
    }
    format!("{{{}}}\r\n{text}", text.len())
}

fn structure(message: &Message<'_>, id: usize, level: usize) -> String {
    let Some(part) = message.parts.get(id).filter(|_| level < MOST_LEVELS) else {
        return r#"("APPLICATION" "OCTET-STREAM" NIL NIL NIL "7BIT" 0)"#.to_owned();
    };
    let kind = part.content_type();
    if let PartType::Multipart(children) = &part.body {
        let children = children.iter().filter_map(|it| usize::try_from(*it).ok());
        let inner: String = children.map(|it| structure(message, it, level + 1)).collect();
        let subtype = kind.and_then(|it| it.subtype()).unwrap_or("MIXED").to_ascii_uppercase();
        let nothing = r#"("TEXT" "PLAIN" NIL NIL NIL "7BIT" 0 0)"#;
        let inner = if inner.is_empty() { nothing } else { &inner };
        return format!("({inner} {})", nstring(Some(subtype)));
    }
    let at = |it: u32| usize::try_from(it).unwrap_or(usize::MAX);
    let raw = message.raw_message.get(at(part.offset_body)..at(part.offset_end)).unwrap_or_default();
    let is_text = matches!(part.body, PartType::Text(_) | PartType::Html(_));
    // A message within a message is described as what it is for who does not look into it.
    let (usual, usual_subtype) = if is_text { ("TEXT", "PLAIN") } else { ("APPLICATION", "OCTET-STREAM") };
    let is_message = matches!(part.body, PartType::Message(_));
    let named = kind.filter(|_| !is_message);
    let word = |it: Option<&str>, usual: &str| nstring(Some(it.unwrap_or(usual).to_ascii_uppercase()));
    let mut parameters: Vec<String> = Vec::new();
    for it in named.and_then(|it| it.attributes()).into_iter().flatten() {
        parameters.push(nstring(Some(it.name.to_ascii_uppercase())));
        parameters.push(nstring(Some(encoded(&it.value))));
    }
    let parameters =
        if parameters.is_empty() { "NIL".to_owned() } else { format!("({})", parameters.join(" ")) };
    let n_lines = raw.iter().filter(|it| **it == b'\n').count();
    let is_text = named.map_or(is_text, |it| it.ctype().eq_ignore_ascii_case("text"));
    format!(
        "({} {} {parameters} {} {} {} {}{})",
        word(named.map(|it| it.ctype()), usual),
        word(named.and_then(|it| it.subtype()), usual_subtype),
        nstring(part.content_id().map(|it| format!("<{it}>"))),
        nstring(part.content_description().map(encoded)),
        word(part.content_transfer_encoding(), "7BIT"),
        raw.len(),
        if is_text { format!(" {n_lines}") } else { String::new() },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const LETTER: &str = "From: \"Ana \\\"A\\\"\" <ana@sandbox.test>\r\nTo: bo@sandbox.test, =?utf-8?q?J=C3=B6rg?= <j@x.test>\r\n\
         Subject: one\r\n two\r\nMessage-ID: <1@x.test>\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n\
         --b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nHello\r\nyou\r\n--b\r\n\
         Content-Type: application/pdf; name=\"a b.pdf\"\r\nContent-Transfer-Encoding: base64\r\n\r\nAAAA\r\n--b--\r\n";

    fn section(part: &[u32], of: SectionOf) -> String {
        let text = Text(LETTER.as_bytes().to_vec());
        String::from_utf8(text.section(&Section { part: part.to_vec(), of })).unwrap()
    }

    #[test]
    fn pieces_are_the_octets_as_they_came() {
        assert_eq!(section(&[], SectionOf::All), LETTER);
        let (header, body) = (section(&[], SectionOf::Header), section(&[], SectionOf::Text));
        assert_eq!(format!("{header}{body}"), LETTER);
        assert!(header.ends_with("boundary=b\r\n\r\n") && body.starts_with("--b\r\n"));
        let names = vec!["SUBJECT".to_owned(), "message-id".to_owned()];
        let want = "Subject: one\r\n two\r\nMessage-ID: <1@x.test>\r\n\r\n";
        assert_eq!(section(&[], SectionOf::Fields(names.clone())), want);
        let others = section(&[], SectionOf::FieldsNot(names));
        assert!(others.starts_with("From: ") && !others.contains("Subject"), "{others}");
        assert_eq!(section(&[1], SectionOf::All), "Hello\r\nyou");
        assert_eq!(section(&[2], SectionOf::All), "AAAA");
        assert!(section(&[2], SectionOf::Mime).contains("application/pdf"));
        assert_eq!(section(&[3], SectionOf::All), "");
        assert_eq!(section(&[1, 1, 7], SectionOf::All), "");
    }

    #[test]
    fn envelope_and_structure_are_written_as_the_grammar_has_them() {
        let text = Text(LETTER.as_bytes().to_vec());
        assert_eq!(
            text.envelope(),
            "(NIL \"one two\" ((\"Ana \\\"A\\\"\" NIL \"ana\" \"sandbox.test\")) ((\"Ana \\\"A\\\"\" NIL \"ana\" \"sandbox.test\")) \
             ((\"Ana \\\"A\\\"\" NIL \"ana\" \"sandbox.test\")) ((NIL NIL \"bo\" \"sandbox.test\")(\"=?utf-8?b?SsO2cmc=?=\" NIL \"j\" \"x.test\")) \
             NIL NIL NIL \"<1@x.test>\")"
        );
        assert_eq!(
            text.structure(),
            "((\"TEXT\" \"PLAIN\" (\"CHARSET\" \"utf-8\") NIL NIL \"7BIT\" 10 1)\
             (\"APPLICATION\" \"PDF\" (\"NAME\" \"a b.pdf\") NIL NIL \"BASE64\" 4) \"MIXED\")"
        );
        for odd in [
            "",
            "\r\n",
            "x",
            "Subject: \u{fc}\r\n\r\n",
            "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b--",
        ] {
            let text = Text(odd.as_bytes().to_vec());
            assert!(text.envelope().starts_with('(') && text.structure().starts_with('('), "{odd:?}");
        }
    }
}
