//! Where to go on after signing in or a proof: a GET row of the table, and nothing else (WP-13).

use axum::http::Method;

use super::{Kind, RouteRow, paths};

/// A path of ours that `then` named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Then(String);

/// The pages that `then` may name.
pub(crate) struct Thens {
    patterns: Vec<Vec<&'static str>>,
    /// With the steps of the way in, where nobody is led from elsewhere.
    all: Vec<Vec<&'static str>>,
}

/// Signs of a path or query that need no second thought. `%` is not among them: nothing of ours needs it.
fn is_plain(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte))
}

impl Thens {
    pub(crate) fn of(rows: &[RouteRow]) -> Self {
        const STEPS: [&str; 6] =
            [paths::SIGN_IN, paths::SECOND_STEP, paths::STAY, paths::CONFIRM, paths::LINK, paths::FORGOT];
        let pages = || rows.iter().filter(|row| row.method == Method::GET && row.kind == Kind::Page);
        let split = |row: &RouteRow| row.path.split('/').collect::<Vec<_>>();
        let patterns = pages().filter(|row| !STEPS.contains(&row.path)).map(split).collect();
        Self { patterns, all: pages().map(split).collect() }
    }

    /// The path and query, if they are a page's.
    pub(crate) fn find(&self, text: &str) -> Option<Then> {
        find_in(&self.patterns, text)
    }

    /// The page that somebody is on, the steps of the way in among them; or home.
    pub(crate) fn find_back(&self, text: &str) -> Then {
        find_in(&self.all, text).unwrap_or_else(|| Then(paths::HOME.to_owned()))
    }

    /// What `then` in the query of this path names.
    pub(crate) fn find_behind(&self, path: &str) -> Option<Then> {
        let (_, query) = path.split_once('?')?;
        let then = query.split('&').find_map(|pair| pair.strip_prefix("then="))?;
        self.find(&then.replace("%3F", "?").replace("%26", "&").replace("%3D", "="))
    }

    /// The nearest page above this path.
    pub(crate) fn find_above(&self, path: &str) -> Option<Then> {
        let path = path.split('?').next()?;
        let mut above = path.rsplit_once('/')?.0;
        while !above.is_empty() {
            if let Some(then) = self.find(above) {
                return Some(then);
            }
            above = above.rsplit_once('/')?.0;
        }
        None
    }

    /// The same as [`Thens::find`], or home.
    pub(crate) fn find_or_home(&self, text: &str) -> Then {
        self.find(text).unwrap_or_else(|| Then(paths::HOME.to_owned()))
    }
}

fn find_in(patterns: &[Vec<&'static str>], text: &str) -> Option<Then> {
    let (path, query) = text.split_once('?').map_or((text, ""), |(path, query)| (path, query));
    let segments: Vec<_> = path.split('/').collect();
    let is_ours = text.len() <= 512
        && patterns.iter().any(|pattern| {
            pattern.len() == segments.len()
                && pattern.iter().zip(&segments).all(|(want, it)| match want.strip_prefix('{') {
                    Some(_) => !it.is_empty() && !matches!(*it, "." | "..") && is_plain(it),
                    None => want == it,
                })
        })
        && query.split('&').all(|pair| pair.splitn(2, '=').all(is_plain));
    is_ours.then(|| Then(text.to_owned()))
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
