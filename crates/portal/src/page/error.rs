//! What is shown in place of a page: what happened, and a way on.

use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;

use crate::frame::{Page, Problem, paths, see_other, show};

#[derive(Template)]
#[template(path = "error.html")]
struct ErrorPage {
    page: Page,
    title: String,
    text: String,
    /// For whoever reads the log.
    id: Option<String>,
    /// What was typed, to be sent again, and where to.
    again: Option<Vec<(String, String)>>,
    way_on: String,
}

/// The page about a problem. `carried` is what a form posted, without its secrets.
pub(crate) fn show_problem(
    page: Page,
    problem: &Problem,
    carried: Option<Vec<(String, String)>>,
) -> Response {
    let t = page.t;
    let (title, text) = match problem {
        Problem::Over => return see_other(paths::SIGN_IN),
        Problem::NotFound => (t.of("error.not_found"), t.of("error.not_found_text")),
        Problem::Forbidden => (t.of("error.forbidden"), t.of("error.forbidden_text")),
        Problem::Bad => (t.of("error.bad"), t.of("error.bad_text")),
        Problem::Unavailable(_) => (t.of("error.unavailable"), t.of("error.unavailable_text")),
        Problem::Broken(_) => (t.of("error.broken"), t.of("error.broken_text")),
    };
    let id = log(&page, problem);
    let is_repeatable = matches!(problem, Problem::Unavailable(_));
    show(
        problem.status(),
        &ErrorPage {
            title: title.to_owned(),
            text: text.to_owned(),
            id,
            again: carried.filter(|_| is_repeatable),
            way_on: if is_repeatable { page.path.clone() } else { paths::HOME.to_owned() },
            page,
        },
    )
}

/// A form without typed fields whose token was too old.
pub(crate) fn old(page: Page, text: String) -> Response {
    let title = page.t.of("error.old").to_owned();
    let way_on = paths::HOME.to_owned();
    show(StatusCode::FORBIDDEN, &ErrorPage { title, text, id: None, again: None, way_on, page })
}

/// What is to be looked into gets an id that stands in the log and on the page alone (WP-12).
fn log(page: &Page, problem: &Problem) -> Option<String> {
    let new_id = || {
        let bytes = page.app.rooms.store.world().random::<6>();
        bytes.iter().map(|it| format!("{it:02x}")).collect::<String>()
    };
    let path = page.path.split('?').next().unwrap_or_default();
    match problem {
        Problem::Unavailable(error) => {
            let id = new_id();
            let error = error as &dyn std::error::Error;
            tracing::error!(error.id = id, path, error, "a page cannot be shown");
            Some(id)
        }
        Problem::Broken(error) => {
            let id = new_id();
            tracing::error!(
                error.id = id,
                path,
                error = error.as_ref() as &dyn std::error::Error,
                "a page failed"
            );
            Some(id)
        }
        Problem::NotFound | Problem::Forbidden | Problem::Bad | Problem::Over => None,
    }
}
