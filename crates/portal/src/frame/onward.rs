//! A page of ours between another site and the page that was asked for.

use askama::Template;

use super::Page;

/// The cookie of an administrator does not come with a link in a letter (SameSite=Strict): it comes with the request that this page
/// makes.
#[derive(Template)]
#[template(path = "onward.html")]
pub(crate) struct OnwardPage {
    pub(crate) page: Page,
    /// A page of ours.
    pub(crate) path: String,
}
