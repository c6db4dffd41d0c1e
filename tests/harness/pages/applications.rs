//! OAuth applications of one's own, for an administrator.

use super::Page;
use super::office::Office;

const BASE: &str = "/accounts/applications";

/// From the list over guides and form to the question before one is removed.
pub(crate) const APPLICATIONS: &[Page<Office>] = &[
    ("applications", |browser, _| browser.go(BASE)),
    ("application-google", |browser, _| browser.go(&format!("{BASE}/google"))),
    ("application-microsoft-pasted", |browser, _| browser.go(&format!("{BASE}/microsoft?kind=desktop"))),
    ("application-registered", |browser, _| browser.go(&format!("{BASE}/sandbox"))),
    ("application-enter", |browser, office| office.open(browser, &format!("{BASE}/microsoft/enter"))),
    ("application-enter-wrong", |browser, _| {
        browser.fill("Tenant", "a/b");
        browser.press("Check and save");
        browser.see("A client ID is one word");
        browser.fill("Client ID", "11111111-2222-3333-4444-555555555555");
        browser.press("Check and save");
        browser.see("A tenant is an ID such as");
    }),
    ("application-refused", |browser, office| {
        office.open(browser, &format!("{BASE}/sandbox/enter"));
        browser.fill("Client secret", "not-the-secret");
        browser.press("Check and save");
        browser.see("Nothing was changed.");
    }),
    ("application-remove", |browser, office| office.open(browser, &format!("{BASE}/sandbox/remove"))),
];
