//! What all pages stand on: the table of routes with its gate, sessions, forms, texts, and the answers that are no page of
//! their own.
//!
//! A page is a row in its file's `rows()`, a handler, a template and its words:
//!
//! - the handler asks for [`Page`] and, by the access of its row, for [`Signed`] or [`PreSigned`]; for [`Form`], [`Query`], [`Id`]; and
//!   gives an [`Answer`]: [`show`] with a template, [`see_other`] after a POST, or a [`Problem`], of which the gate makes a page;
//! - the template extends `layout.html`, has a field `page`, takes every word from `page.t`, and begins each form with
//!   `{% call part::token(page) %}{% endcall %}`; what it needs of types it names by their full path (`crate::frame::Tone::Good`);
//! - a form that is not right is shown again with status 422, what was typed and a sentence beside each field; one that was right
//!   answers 303, with a sentence for the next page ([`Page::leave`]);
//! - a session that was made anew goes into the answer with [`Page::continue_as`]: `(CookieJar::new().add(cookie), see_other(…))`.

mod access;
mod alert;
mod answer;
mod cookies;
mod device;
mod events;
mod extract;
mod form;
mod gate;
mod kept;
mod onward;
mod page;
mod proof;
mod proofs;
mod refusal;
mod refused;
mod route;
mod shared;
mod show_once;
mod texts;
mod theme;
mod then;

pub use access::Access;
pub(crate) use alert::{Alert, Alerts, Tone};
pub(crate) use answer::{Answer, Problem, see_other, show};
pub(crate) use cookies::{CookieName, Cookies};
pub(crate) use events::{Events, Gone};
pub(crate) use extract::{Form, Id, PreSigned, Query, Signed, TypedForm};
pub(crate) use form::{RawForm, Secret};
pub(crate) use gate::router;
pub(crate) use kept::{KeptForms, Waiting};
pub(crate) use onward::OnwardPage;
pub(crate) use page::{Nav, Page};
pub(crate) use proof::{CLOCK_FROM, OtherWay, ProofField, ProofPage, misses_of, proof_of, was_asked};
pub(crate) use proofs::Proofs;
pub(crate) use refusal::{clock, problem_words, refusal_words};
pub(crate) use refused::Refused;
pub use route::{Kind, RouteRow};
pub(crate) use route::{Route, paths};
pub(crate) use shared::{App, Assets, Shared};
pub(crate) use show_once::ShowOnce;
pub(crate) use texts::Texts;
pub(crate) use theme::Theme;
pub(crate) use then::{Then, Thens};
