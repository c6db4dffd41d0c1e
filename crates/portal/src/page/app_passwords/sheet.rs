//! The set-up sheet: what is typed where, in the application's own words, on paper; never the letters (B11).

use askama::Template;
use axum::http::StatusCode;
use gatepost_core::AppPasswordId;

use super::path;
use super::right;
use super::settings::{Incoming, Settings, Typed};
use crate::frame::{Answer, Id, Nav, Page, Signed, show};
use crate::page::qr::Qr;

#[derive(Template)]
#[template(path = "app_passwords/sheet.html")]
struct SheetPage {
    page: Page,
    path: String,
    name: String,
    whose: String,
    settings: Settings,
    fields: Vec<Typed>,
    incoming: Vec<Incoming>,
    qr: Option<Qr>,
    authority: Option<String>,
}

pub(super) async fn sheet(page: Page, signed: Signed, Id(id): Id<AppPasswordId>) -> Answer {
    let (it, held) = right::find_full(&page, &signed, id).await?;
    let settings = Settings::of(&page, &signed, &it, &held).await?;
    let has_authority = page.app.settings.mail.authority.is_some();
    let shown = SheetPage {
        path: path(id, ""),
        name: it.name,
        whose: held.whose,
        fields: settings.fields(&page, page.t.of("sheet.letters")),
        incoming: settings.incoming(&page, page.t.of("sheet.letters")),
        qr: Qr::of(&settings.as_text(&page)),
        authority: has_authority.then(|| page.app.link("/authority.pem")),
        settings,
        page: page.at(Nav::AppPasswords),
    };
    Ok(show(StatusCode::OK, &shown))
}
