//! Files that are part of the program.

use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};

/// The tokens and components of all pages: colours for light and dark, type, spacing, badge, time line, table, form.
pub const BASE_STYLE: &str = include_str!("base.css");

/// The one script of all pages: copy buttons, live panels, the code field. Every page works without it.
pub const SCRIPT: &str = include_str!("gatepost.js");

/// The small picture of a tab.
pub const FAVICON: &str = include_str!("favicon.svg");

/// A small text file, such as a style sheet, served with an entity tag so that a browser asks for it once.
#[derive(Clone)]
pub struct Asset {
    content_type: &'static str,
    body: String,
    etag: String,
}

impl Asset {
    /// A file made of these parts, one behind the other.
    #[must_use]
    pub fn new(content_type: &'static str, parts: &[&str]) -> Self {
        let body = parts.concat();
        let etag = format!("\"{:016x}\"", fingerprint(body.as_bytes()));
        Self { content_type, body, etag }
    }

    /// `/assets/` with the file's name and what it holds in a few letters: another version has another address.
    #[must_use]
    pub fn address(&self, name: &str) -> String {
        let (stem, ending) = name.rsplit_once('.').unwrap_or((name, "txt"));
        format!("/assets/{stem}-{}.{ending}", self.etag.trim_matches('"'))
    }

    /// The file for [`Asset::address`], to be kept for ever: what is there never changes.
    #[must_use]
    pub fn respond_for_good(&self) -> Response {
        let headers = [
            (header::CONTENT_TYPE, self.content_type),
            (header::CACHE_CONTROL, "public, max-age=31536000, immutable"),
        ];
        (headers, self.body.clone()).into_response()
    }

    /// The file, or 304 if the browser has it.
    #[must_use]
    pub fn respond(&self, request: &HeaderMap) -> Response {
        let known =
            request.get(header::IF_NONE_MATCH).is_some_and(|it| it.as_bytes() == self.etag.as_bytes());
        // `no-cache` means "ask each time": after an update the old look must not stay.
        let headers = [(header::ETAG, self.etag.as_str()), (header::CACHE_CONTROL, "no-cache")];
        if known {
            return (StatusCode::NOT_MODIFIED, headers).into_response();
        }
        (headers, [(header::CONTENT_TYPE, self.content_type)], self.body.clone()).into_response()
    }
}

/// FNV-1a. It tells two versions of our own file apart; nobody gains by forging it.
fn fingerprint(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}
