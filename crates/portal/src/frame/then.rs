//! Where to go on after signing in or a proof: a GET row of the table, and nothing else (WP-13).

use axum::http::Method;

use super::{Kind, RouteRow, paths};

/// A path of ours that `then` named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Then(String);

/// The pages that `then` may name.
pub(crate) struct Thens {
    patterns: Vec<Vec<&'static str>>,
}

/// Signs of a path or query that need no second thought. `%` is not among them: nothing of ours needs it.
fn is_plain(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte))
}

impl Thens {
    pub(crate) fn of(rows: &[RouteRow]) -> Self {
        let is_place = |row: &&RouteRow| {
            let is_step = [paths::SIGN_IN, paths::SECOND_STEP, paths::CONFIRM, paths::LINK, paths::FORGOT]
                .contains(&row.path);
            row.method == Method::GET && row.kind == Kind::Page && !is_step
        };
        Self { patterns: rows.iter().filter(is_place).map(|row| row.path.split('/').collect()).collect() }
    }

    /// The path and query, if they are a page's.
    pub(crate) fn find(&self, text: &str) -> Option<Then> {
        let (path, query) = text.split_once('?').map_or((text, ""), |(path, query)| (path, query));
        let segments: Vec<_> = path.split('/').collect();
        let is_ours = text.len() <= 512
            && self.patterns.iter().any(|pattern| {
                pattern.len() == segments.len()
                    && pattern.iter().zip(&segments).all(|(want, it)| match want.strip_prefix('{') {
                        Some(_) => !it.is_empty() && !matches!(*it, "." | "..") && is_plain(it),
                        None => want == it,
                    })
            })
            && query.split('&').all(|pair| pair.splitn(2, '=').all(is_plain));
        is_ours.then(|| Then(text.to_owned()))
    }

    /// The same, or home.
    pub(crate) fn find_or_home(&self, text: &str) -> Then {
        self.find(text).unwrap_or_else(|| Then(paths::HOME.to_owned()))
    }
}

impl Then {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// `page?then=PATH`. What a [`Then`] holds needs no escaping in a query but `?`, `&` and `=`.
    pub(crate) fn behind(&self, page: &str) -> String {
        if self.0 == paths::HOME {
            return page.to_owned();
        }
        let escaped = self.0.replace('?', "%3F").replace('&', "%26").replace('=', "%3D");
        format!("{page}?then={escaped}")
    }
}

#[cfg(test)]
mod tests;
