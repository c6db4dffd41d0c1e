//! Looking for secrets where none may be.

use std::fs;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use memchr::memmem;

use super::Outcome;

/// One secret, in all disguises.
pub(crate) struct Canary {
    name: &'static str,
    forms: Vec<(&'static str, Vec<u8>)>,
}

impl Canary {
    pub(crate) fn new(name: &'static str, secret: &[u8]) -> Self {
        let hex = |upper: bool, before: &str| -> Vec<u8> {
            let digits = secret
                .iter()
                .map(|it| if upper { format!("{before}{it:02X}") } else { format!("{before}{it:02x}") });
            digits.collect::<String>().into_bytes()
        };
        let mut forms = vec![
            ("raw", secret.to_vec()),
            ("hex", hex(false, "")),
            ("hex", hex(true, "")),
            ("percent", percent(secret)),
            ("percent", hex(true, "%")),
            ("percent", hex(false, "%")),
            ("escaped bytes", hex(false, "\\x")),
        ];
        if let Ok(text) = std::str::from_utf8(secret) {
            let json = serde_json::to_string(text).unwrap();
            forms.push(("JSON", json.trim_matches('"').as_bytes().to_vec()));
            let escaped: String = text.encode_utf16().map(|it| format!("\\u{it:04x}")).collect();
            forms.push(("JSON", escaped.into_bytes()));
            forms.push(("Rust", text.escape_default().to_string().into_bytes()));
            forms.push(("UTF-16", text.encode_utf16().flat_map(u16::to_le_bytes).collect()));
            forms.push(("UTF-16", text.encode_utf16().flat_map(u16::to_be_bytes).collect()));
        }
        // Base64 looks different depending on how many bytes stand before: three ways, without what the neighbours share.
        for before in 0..3 {
            let shifted = [&b"\0\0\0"[..before], secret].concat();
            for (form, text) in [
                ("base64", STANDARD_NO_PAD.encode(&shifted)),
                ("base64url", URL_SAFE_NO_PAD.encode(&shifted)),
            ] {
                let from = (before * 8).div_ceil(6);
                forms.push((form, text.as_bytes()[from..shifted.len() * 8 / 6].to_vec()));
            }
        }
        Self { name, forms }
    }

    /// The forms in which it can be read there.
    pub(crate) fn forms_in(&self, bytes: &[u8]) -> Vec<&'static str> {
        let found = self.forms.iter().filter(|(_, needle)| memmem::find(bytes, needle).is_some());
        found.map(|(form, _)| *form).collect()
    }
}

/// As in the address of a page.
pub(crate) fn percent(secret: &[u8]) -> Vec<u8> {
    let one = |it: &u8| match it {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(*it).to_string(),
        it => format!("%{it:02X}"),
    };
    secret.iter().map(one).collect::<String>().into_bytes()
}

/// What was looked through, and what was found there.
pub(crate) struct Search {
    pub(crate) canaries: Vec<Canary>,
    pub(crate) n_places: usize,
    pub(crate) found: Vec<String>,
}

impl Search {
    pub(crate) fn look(&mut self, place: &str, bytes: &[u8]) {
        self.n_places += 1;
        for canary in &self.canaries {
            for form in canary.forms_in(bytes) {
                self.found.push(format!("{} as {form} in {place}", canary.name));
            }
        }
    }

    pub(crate) fn look_at_outcome(&mut self, place: &str, outcome: &Outcome) {
        self.look(place, format!("{}\n{}", outcome.stdout, outcome.stderr).as_bytes());
    }

    /// All files in the folder and below, and their names.
    pub(crate) fn look_through(&mut self, folder: &Path) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            self.look("the name of a file", path.as_os_str().as_encoded_bytes());
            let kind = fs::symlink_metadata(&path).unwrap().file_type();
            if kind.is_dir() {
                self.look_through(&path);
            } else if kind.is_file() {
                self.look(&path.display().to_string(), &fs::read(&path).unwrap());
            }
        }
    }
}
