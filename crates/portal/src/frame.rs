//! What all pages stand on: the table of routes with its gate, sessions, forms, texts, and the answers that are no page of
//! their own.

mod access;
mod alert;
mod answer;
mod cookies;
mod device;
mod extract;
mod form;
mod gate;
mod page;
mod proof;
mod refusal;
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
pub(crate) use extract::{Form, Id, PreSigned, Query, Signed, TypedForm};
pub(crate) use form::{RawForm, Secret};
pub(crate) use gate::router;
pub(crate) use page::{Nav, Page};
pub(crate) use proof::{ProofField, ProofPage, proof_of};
pub(crate) use refusal::{problem_words, refusal_words};
pub use route::{Kind, RouteRow};
pub(crate) use route::{Route, paths};
pub(crate) use shared::{App, Assets, Shared};
pub(crate) use show_once::ShowOnce;
pub(crate) use texts::Texts;
pub(crate) use theme::Theme;
pub(crate) use then::{Then, Thens};
