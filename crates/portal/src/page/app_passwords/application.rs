//! What applications and devices call what is typed into them, from `data/applications.toml`.

use std::sync::LazyLock;

use gatepost_identity::{Protocol, Protocols};
use serde::Deserialize;

/// All applications that people can choose from, in the order in which they should find them.
pub(super) struct Applications {
    all: Vec<Application>,
}

/// One application or make of device.
#[derive(Debug)]
pub(super) struct Application {
    /// In addresses of pages and in rows.
    pub(super) id: String,
    /// As its maker writes it.
    pub(super) name: String,
    pub(super) kind: Kind,
    pub(super) what: String,
    /// Where in it the settings are entered.
    pub(super) place: String,
    /// What an app password for it may do unless its owner says otherwise.
    pub(super) allowed: Protocols,
    /// It needs no app password: the notes say what to do instead.
    pub(super) signs_in_itself: bool,
    /// What it calls encryption on the port with STARTTLS.
    pub(super) starttls: String,
    /// What it calls encryption on the port with TLS.
    pub(super) tls: String,
    pub(super) fields: Vec<Field>,
    pub(super) notes: Vec<String>,
    pub(super) incoming: Incoming,
}

/// Where reading is set up, and what its fields are called.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Incoming {
    pub(super) place: String,
    pub(super) fields: Vec<Field>,
}

/// The heading under which an application stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Kind {
    /// Software of practices, clinics and charities.
    Practice,
    /// Mail programs.
    Mail,
    /// Devices that send what they scan.
    Scanner,
}

/// A field of an application, in its own words, and what is typed there: with `{host}` and the like to be filled in.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Field {
    pub(super) name: String,
    pub(super) value: String,
}

/// The word for an application that is not of the list.
pub(super) const OTHER: &str = "other";

const STARTTLS: &str = "STARTTLS";
const TLS: &str = "SSL/TLS";

static EMBEDDED: LazyLock<Applications> = LazyLock::new(|| {
    Applications::parse(include_str!("../../../data/applications.toml"))
        .expect("the list of applications is part of the program, and a test reads it")
});

static GENERIC: LazyLock<Application> = LazyLock::new(|| {
    let file: File = toml::from_str(include_str!("../../../data/applications.toml"))
        .expect("the list of applications is part of the program, and a test reads it");
    Application {
        id: OTHER.to_owned(),
        name: String::new(),
        kind: Kind::Practice,
        what: String::new(),
        place: file.generic.place,
        allowed: std::iter::once(Protocol::Smtp).collect(),
        signs_in_itself: false,
        starttls: STARTTLS.to_owned(),
        tls: TLS.to_owned(),
        fields: file.generic.fields,
        notes: file.generic.notes,
        incoming: file.incoming,
    }
});

impl Applications {
    /// The list of this build.
    pub(super) fn embedded() -> &'static Self {
        &EMBEDDED
    }

    /// The one with that id.
    pub(super) fn find(&self, id: &str) -> Option<&Application> {
        self.all.iter().find(|it| it.id == id)
    }

    pub(super) fn of_kind(&self, kind: Kind) -> impl Iterator<Item = &Application> {
        self.all.iter().filter(move |it| it.kind == kind)
    }

    fn parse(text: &str) -> Result<Self, toml::de::Error> {
        let File { generic, incoming, scanner, application } = toml::from_str(text)?;
        let whole = |it: Raw| {
            let common = if it.kind == Kind::Scanner { &scanner } else { &generic };
            Application {
                place: it.place.unwrap_or_else(|| common.place.clone()),
                fields: it.fields.unwrap_or_else(|| common.fields.clone()),
                notes: it.notes.unwrap_or_else(|| common.notes.clone()),
                incoming: it.incoming.unwrap_or_else(|| incoming.clone()),
                starttls: it.words.starttls.unwrap_or_else(|| STARTTLS.to_owned()),
                tls: it.words.tls.unwrap_or_else(|| TLS.to_owned()),
                allowed: it.allowed.iter().filter_map(|word| word.parse::<Protocol>().ok()).collect(),
                id: it.id,
                name: it.name,
                kind: it.kind,
                what: it.what,
                signs_in_itself: it.signs_in_itself,
            }
        };
        Ok(Self { all: application.into_iter().map(whole).collect() })
    }
}

impl Application {
    /// One of which nothing is known: the field names of most.
    pub(super) fn generic() -> &'static Self {
        &GENERIC
    }
}

/// The file as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    generic: Common,
    incoming: Incoming,
    scanner: Common,
    application: Vec<Raw>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Common {
    place: String,
    fields: Vec<Field>,
    #[serde(default)]
    notes: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    id: String,
    name: String,
    kind: Kind,
    what: String,
    place: Option<String>,
    allowed: Vec<String>,
    #[serde(default)]
    signs_in_itself: bool,
    #[serde(default)]
    words: Words,
    fields: Option<Vec<Field>>,
    notes: Option<Vec<String>>,
    incoming: Option<Incoming>,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Words {
    starttls: Option<String>,
    tls: Option<String>,
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// What may stand in braces.
    const PLACES: [&str; 8] =
        ["host", "port", "encryption", "user_name", "password", "name", "sender", "sender_name"];

    fn places(text: &str) -> Vec<&str> {
        text.split('{').skip(1).filter_map(|it| it.split_once('}')).map(|(name, _)| name).collect()
    }

    #[test]
    fn every_application_that_people_ask_for_is_there() {
        for (name, kind) in [
            ("TDO", Kind::Practice),
            ("ClinicSource", Kind::Practice),
            ("Lamplight", Kind::Practice),
            ("EXACT", Kind::Practice),
            ("Outlook", Kind::Mail),
            ("Thunderbird", Kind::Mail),
            ("Apple Mail", Kind::Mail),
            ("Canon", Kind::Scanner),
            ("HP", Kind::Scanner),
            ("Ricoh", Kind::Scanner),
            ("Konica Minolta", Kind::Scanner),
            ("Xerox", Kind::Scanner),
            ("Brother", Kind::Scanner),
            ("Kyocera", Kind::Scanner),
            ("Epson", Kind::Scanner),
            ("Sharp", Kind::Scanner),
        ] {
            assert!(Applications::embedded().of_kind(kind).any(|it| it.name == name), "{name}");
        }
    }

    #[test]
    fn every_application_is_complete() {
        let all = &Applications::embedded().all;
        let ids: BTreeSet<_> = all.iter().map(|it| it.id.as_str()).collect();
        assert_eq!(ids.len(), all.len(), "an id is there twice");
        assert!(!ids.contains(OTHER));
        for it in all.iter().chain([Application::generic()]) {
            let id = &it.id;
            assert!(id.bytes().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-'), "{id}");
            assert!(
                !it.place.is_empty() && (id == OTHER || !it.name.is_empty() && !it.what.is_empty()),
                "{id}"
            );
            if it.signs_in_itself {
                assert!(it.fields.is_empty() && it.allowed.is_empty() && !it.notes.is_empty(), "{id}");
                continue;
            }
            assert!(it.allowed.allow(Protocol::Smtp), "{id}");
            let typed: Vec<_> = it.fields.iter().flat_map(|it| places(&it.value)).collect();
            for wanted in ["host", "port", "user_name"] {
                assert!(typed.contains(&wanted), "{id} does not say where {{{wanted}}} goes");
            }
            // Thunderbird asks for it later.
            assert!(typed.contains(&"password") || it.notes.iter().any(|it| it.contains("password")), "{id}");
            let typed: Vec<_> = it.incoming.fields.iter().flat_map(|it| places(&it.value)).collect();
            for wanted in ["host", "port", "user_name"] {
                assert!(typed.contains(&wanted), "{id} does not say where {{{wanted}}} goes for reading");
            }
            let fields = || it.fields.iter().chain(&it.incoming.fields);
            assert!(fields().all(|it| !it.name.is_empty() && !it.value.is_empty()), "{id}");
        }
    }

    #[test]
    fn every_mail_program_says_where_incoming_mail_is_set_up() {
        for it in Applications::embedded().of_kind(Kind::Mail) {
            assert!(it.allowed.allow(Protocol::Imap) && it.allowed.allow(Protocol::Pop3), "{}", it.id);
            assert_ne!(it.incoming.place, Application::generic().incoming.place, "{}", it.id);
            assert_ne!(it.incoming.place, it.place, "{}", it.id);
        }
    }

    #[test]
    fn every_place_in_braces_is_one_that_is_filled_in() {
        for it in Applications::embedded().all.iter().chain([Application::generic()]) {
            let fields = it.fields.iter().chain(&it.incoming.fields);
            let texts = fields.map(|it| &it.value).chain(&it.notes);
            for name in texts.flat_map(|it| places(it)) {
                assert!(PLACES.contains(&name), "{}: {{{name}}}", it.id);
            }
        }
    }

    #[test]
    fn words_for_doors_are_known() {
        let file: File = toml::from_str(include_str!("../../../data/applications.toml")).unwrap();
        for word in file.application.iter().flat_map(|it| &it.allowed) {
            assert!(word.parse::<Protocol>().is_ok(), "{word}");
        }
    }

    #[test]
    fn an_unknown_key_is_refused() {
        let file = include_str!("../../../data/applications.toml");
        assert!(Applications::parse(file).is_ok());
        assert!(Applications::parse(&file.replace("what =", "wath =")).is_err());
    }
}
