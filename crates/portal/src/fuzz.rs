//! What `fuzz/` feeds with rubbish.

use serde::Deserialize;

use crate::frame::{RawForm, Secret, Thens};

/// Every kind of field that a page has.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Typed {
    name: String,
    note: Option<String>,
    location: Vec<String>,
    agreed: bool,
    misses: u8,
    page: Option<u64>,
    password: Secret,
}

/// The fields of a form that may stand in a page again; none if it is refused.
#[must_use]
pub fn form(bytes: &[u8]) -> Option<Vec<(String, String)>> {
    let mut raw = RawForm::parse(bytes)?;
    if let Some(typed) = raw.read::<Typed>() {
        let Typed { name, note, location, agreed, misses, page, password } = typed;
        let _read = (name, note, location, agreed, misses, page, password.text().reveal().len());
    }
    let kept = raw.without_secrets();
    raw.drop_secrets();
    assert_eq!(raw.without_secrets(), kept);
    assert!(raw.take("name").is_some() == kept.iter().any(|(name, _)| name == "name"));
    assert!(raw.find("name").is_none());
    Some(kept)
}

/// The pages that a return address may name.
pub struct ReturnAddresses(Thens);

impl ReturnAddresses {
    /// Those of the portal.
    #[must_use]
    pub fn of_the_portal() -> Self {
        Self(Thens::of(&crate::routes()))
    }

    /// What is followed.
    #[must_use]
    pub fn find(&self, text: &str) -> Option<String> {
        self.0.find(text).map(|it| it.as_str().to_owned())
    }

    /// Everything else that leads somewhere: back, up, and home.
    #[must_use]
    pub fn others(&self, text: &str) -> Vec<String> {
        let found = [
            self.0.find_above(text),
            self.0.find_behind(text),
            Some(self.0.find_back(text)),
            Some(self.0.find_or_home(text)),
        ];
        found.into_iter().flatten().map(|it| it.as_str().to_owned()).collect()
    }

    /// Carried through the address of a page, and read there.
    #[must_use]
    pub fn there_and_back(&self, text: &str) -> Option<String> {
        let page = self.0.find(text)?.behind("/sign-in");
        let back = self.0.find_behind(&page).map_or_else(|| "/".to_owned(), |it| it.as_str().to_owned());
        Some(back)
    }
}
