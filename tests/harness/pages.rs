//! The pages that are judged and pictured, each with the way to reach it. A new page is one line.

mod app_passwords;
mod applications;
mod beginning;
mod connect;
mod office;
mod operator;
mod sandbox;

use std::path::Path;

use super::{Browser, LOOKS};

pub(crate) use app_passwords::APP_PASSWORDS;
pub(crate) use applications::APPLICATIONS;
pub(crate) use beginning::{BEGINNING, Beginning};
pub(crate) use connect::CONNECT;
pub(crate) use office::{ACCOUNTS, MAIL, Office, PEOPLE};
pub(crate) use operator::{ENTRANCE, Operator, SECURITY};
pub(crate) use sandbox::{FilledSandbox, SANDBOX, authorization};

/// The name of a page, and how a person gets there in what has been set up.
pub(crate) type Page<Scene> = (&'static str, fn(&mut Browser, &Scene));

/// A page that was reached.
pub(crate) struct Pictured {
    pub(crate) name: &'static str,
    /// Without the query.
    pub(crate) path: String,
}

/// Reaches each page once and pictures it in every look, as `FOLDER/PAGE-wide-light.png`; so what is shown only once can be
/// among them.
pub(crate) fn picture<Scene>(
    folder: &Path,
    browser: &mut Browser,
    scene: &Scene,
    pages: &[Page<Scene>],
) -> Vec<Pictured> {
    let mut pictured = Vec::new();
    for (name, reach) in pages {
        reach(browser, scene);
        browser.in_every_look(|browser, look| {
            browser.fits();
            browser.picture(&folder.join(format!("{name}-{}.png", look.name())));
        });
        let path = browser.path();
        pictured.push(Pictured { name, path: path.split('?').next().unwrap_or_default().to_owned() });
    }
    pictured
}

/// How many pictures are made of them.
pub(crate) fn n_pictures(pictured: &[Pictured]) -> usize {
    pictured.len() * LOOKS.len()
}
