//! A new installation, from the link that `init` gives to its empty home page.

use super::Page;
use crate::harness::portal::code_of;
use crate::harness::{Browser, Installation, Provider, Running};

/// A server that nobody has signed in to.
pub(crate) struct Beginning {
    at: Running,
    link: String,
    _installation: Installation,
    _provider: Provider,
}

impl Beginning {
    pub(crate) fn start() -> Self {
        let provider = Provider::start();
        let installation = Installation::towards(&provider.authority(), "");
        let at = installation.serve();
        let made = at.command(&["person", "reset-password", "anna@practice.example", "--json"]).json();
        let link = made["link"].as_str().unwrap().to_owned();
        Self { at, link, _installation: installation, _provider: provider }
    }

    pub(crate) fn browser(&self) -> Browser {
        Browser::open(self.link.split("/link").next().unwrap())
    }
}

/// In the order of the set-up.
pub(crate) const BEGINNING: &[Page<Beginning>] = &[
    ("link-set-up", |browser, scene| browser.go(&scene.link)),
    ("two-step-needed", |browser, _| {
        browser.fill("New password", "seven quiet herons by the weir");
        browser.press("Set the password");
        browser.arrives_at("/two-step");
    }),
    ("two-step-done-set-up", |browser, _| {
        browser.press("Begin");
        browser.arrives_at("/two-step/app");
        browser.press("The camera cannot read it? Type a key");
        let key = browser.text_of("#key").replace(' ', "");
        browser.fill("Code", &code_of(&key));
        browser.press("Check the code");
        browser.arrives_at("/two-step/codes");
        let codes = browser.text_of("#codes");
        browser.fill("One of the codes", codes.split_whitespace().next().unwrap());
        browser.press("Turn it on");
        browser.arrives_at("/two-step/done");
    }),
    ("set-up", |browser, _| browser.press("Go on")),
    ("set-up-empty", |browser, _| {
        browser.fill("Name of the organisation", "");
        browser.press("Finish the set-up");
        browser.see("Please look again at:");
    }),
    ("home-new", |browser, _| {
        browser.fill("Name of the organisation", "Praxis Süd");
        browser.fill("First location", "Main Street");
        browser.press("Finish the set-up");
        browser.arrives_at("/");
    }),
    ("accounts-empty", |browser, _| browser.go("/accounts")),
    ("outbox-held", |browser, _| browser.go("/outbox?state=held")),
    ("outbox-none-such", |browser, _| browser.go("/outbox?state=sent")),
    ("app-passwords-empty", |browser, _| browser.go("/app-passwords")),
];
