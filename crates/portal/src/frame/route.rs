//! The rows of the table.

use axum::handler::Handler;
use axum::http::Method;
use axum::routing::{MethodFilter, MethodRouter, on};

use gatepost_identity::Role;

use super::{Access, App};

/// Addresses that more than one page must know.
pub(crate) mod paths {
    pub(crate) const HOME: &str = "/";
    pub(crate) const SIGN_IN: &str = "/sign-in";
    pub(crate) const SIGN_OUT: &str = "/sign-out";
    /// Where a pre-session shows its second step.
    pub(crate) const SECOND_STEP: &str = "/second-step";
    /// Proof again, then on to where `then` says.
    pub(crate) const CONFIRM: &str = "/confirm";
    /// Setting two-step verification up.
    pub(crate) const TWO_STEP: &str = "/two-step";
    /// An administrator names the organisation and its first location.
    pub(crate) const SET_UP: &str = "/set-up";
    /// What a one-time link opens: `?token=`.
    pub(crate) const LINK: &str = "/link";
    pub(crate) const FORGOT: &str = "/forgot";
    pub(crate) const STAY: &str = "/stay";
    /// Where a mailbox is connected.
    pub(crate) const CONNECT: &str = "/accounts/connect";
    /// What the addresses begin with that providers' pages send people back to.
    pub(crate) const CALLBACK: &str = "/oauth/callback/";
    pub(crate) const SECURITY: &str = "/security";
    /// OAuth applications of one's own.
    pub(crate) const APPLICATIONS: &str = "/accounts/applications";
    pub(crate) const ACCOUNTS: &str = "/accounts";
    pub(crate) const APP_PASSWORDS: &str = "/app-passwords";
    pub(crate) const PEOPLE: &str = "/people";
    pub(crate) const LOCATIONS: &str = "/locations";
    pub(crate) const OUTBOX: &str = "/outbox";
    pub(crate) const THEME: &str = "/theme";
}

/// What an address gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A whole page, or what a form of it posts.
    Page,
    /// A part of a page, an endless stream or a file: nobody is led there after signing in.
    Part,
    /// For programs: no cookies are read or set.
    Plain,
}

/// One row, with its handler.
pub(crate) struct Route {
    pub(crate) row: RouteRow,
    pub(crate) handler: MethodRouter<App>,
}

/// One row, as sweeps over all addresses see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouteRow {
    /// GET or POST.
    pub method: Method,
    /// With `{name}` where an id stands.
    pub path: &'static str,
    /// Who it is for.
    pub access: Access,
    /// Whether the last proof must be at most five minutes old (ID-25).
    pub needs_proof: bool,
    /// Whether operators are spared the proof, because all that they can act on there is their own.
    pub spares_operators: bool,
    /// What it gives.
    pub kind: Kind,
    /// Whether it opens to a lasting session that must show a factor first: signing out and the proof itself.
    pub opens_before_factor: bool,
}

impl RouteRow {
    /// Whether somebody with that role has to have shown a proof.
    pub(crate) fn needs_proof_of(&self, role: Role) -> bool {
        self.needs_proof && !(self.spares_operators && role == Role::Operator)
    }
}

impl Route {
    /// A page.
    pub(crate) fn get<H: Handler<T, App>, T: 'static>(
        path: &'static str,
        access: Access,
        handler: H,
    ) -> Self {
        Self::new(Method::GET, path, access, on(MethodFilter::GET, handler))
    }

    /// What a form does. Its form token is checked before the handler is called. Where the form has fields that are typed, the page
    /// that holds it must be the GET row of the same path: it is shown again, with what was typed, when the token is too old.
    pub(crate) fn post<H: Handler<T, App>, T: 'static>(
        path: &'static str,
        access: Access,
        handler: H,
    ) -> Self {
        Self::new(Method::POST, path, access, on(MethodFilter::POST, handler))
    }

    fn new(method: Method, path: &'static str, access: Access, handler: MethodRouter<App>) -> Self {
        let row = RouteRow {
            method,
            path,
            access,
            needs_proof: false,
            spares_operators: false,
            kind: Kind::Page,
            opens_before_factor: false,
        };
        Self { row, handler }
    }

    /// Needs a proof that is at most five minutes old.
    pub(crate) fn needs_proof(mut self) -> Self {
        self.row.needs_proof = true;
        self
    }

    /// The same for administrators alone, who act there on what belongs to others as well.
    pub(crate) fn needs_proof_of_administrators(mut self) -> Self {
        self.row.spares_operators = true;
        self.needs_proof()
    }

    /// A part of a page, a stream or a file.
    pub(crate) fn part(mut self) -> Self {
        self.row.kind = Kind::Part;
        self
    }

    /// For programs.
    pub(crate) fn plain(mut self) -> Self {
        self.row.kind = Kind::Plain;
        self
    }

    /// Opens to a lasting session that must show a factor first.
    pub(crate) fn opens_before_factor(mut self) -> Self {
        self.row.opens_before_factor = true;
        self
    }
}
