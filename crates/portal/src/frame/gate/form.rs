//! What was posted: read once, kept while somebody signs in again, and shown again where it is not believed.

use std::sync::PoisonError;

use axum::body::Body;
use axum::extract::Request;
use axum::handler::Handler as _;
use axum::http::request::Parts as Head;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::Response;
use gatepost_core::PersonId;

use super::{Gate, Visit, is_reading};
use crate::frame::form::MOST_BYTES;
use crate::frame::{Access, Alert, Problem, RawForm, Waiting, proof_of, proofs};
use crate::page;

/// A form that comes back to its own page because its token was wrong.
#[derive(Clone)]
pub(super) struct ComesBack(pub(super) RawForm, pub(super) Alert);

impl Visit {
    /// What was posted. The body can be read once.
    pub(super) async fn take_form(
        &mut self,
        head: &Head,
        body: &mut Option<Body>,
    ) -> Result<RawForm, Problem> {
        match (self.form.take(), body.take()) {
            (Some(form), _) => Ok(form),
            (None, Some(body)) => read_form(&head.headers, body).await,
            (None, None) => Err(Problem::Bad),
        }
    }

    /// Of a form whose session is over: where it is the second click on a page that asks for a proof, it goes on in the session that
    /// the first click went on in. The form must be ours, and the proof the very one that was right.
    pub(super) async fn catch_up(
        &mut self,
        gate: &Gate,
        head: &Head,
        body: &mut Option<Body>,
    ) -> Result<(), Problem> {
        let is_for_sessions = !matches!(gate.row.access, Access::Public | Access::SecondStep);
        if self.session.is_some() || !is_for_sessions || is_reading(&head.method) {
            return Ok(());
        }
        let Some(token) = self.page.session_token.clone() else { return Ok(()) };
        let Ok(form) = self.take_form(head, body).await else { return Ok(()) };
        let proof = proof_of(&mut form.clone());
        let form_token = form.find("form_token").cloned();
        self.form = Some(form);
        let (Some((_, proof)), Some(form_token)) = (proof, form_token) else { return Ok(()) };
        let Some(new) = proofs::gone_on(&gate.app, &token, &proof).await? else { return Ok(()) };
        let (visitor, lineage) = (&self.page.visitor_id, Some(new.session.lineage));
        if self.has_visitor && gate.app.rooms.people.is_form_token(form_token.reveal(), visitor, lineage) {
            self.over = None;
            self.cookies.push(self.page.cookies().session(&new));
            self.sign_in(&gate.app, new.session).await?;
        }
        Ok(())
    }

    /// Keeps what was typed until its person has signed in again.
    pub(super) fn keep_form(&self, gate: &Gate, owner: PersonId, head: &Head, mut form: RawForm) {
        // The steps of the way in, and signing out, are answered by signing in.
        if has_page(gate) && !gate.row.opens_before_factor && !is_reading(&head.method) {
            form.drop_secrets();
            gate.app.kept_forms.keep(&self.page.visitor_id, owner, head.uri.path(), form);
        }
    }

    /// What was typed on this page before its session ended.
    pub(super) fn find_form(&mut self, gate: &Gate) {
        let Some(session) = &self.session else { return };
        let path = self.page.path.split('?').next().unwrap_or_default();
        let t = self.page.t;
        match gate.app.kept_forms.take(&self.page.visitor_id, session.person.id, path) {
            Waiting::Nothing => {}
            Waiting::Theirs(form) => {
                self.form = Some(form);
                self.page.alerts.push(Alert::warn(t.of("common.kept_form")));
            }
            Waiting::Dropped => self.page.alerts.push(Alert::warn(t.of("common.dropped_form"))),
        }
    }

    /// The form is not believed. Its page comes again with what was typed, and nothing else happens.
    pub(super) async fn come_back(&mut self, gate: &Gate, mut head: Head) -> Response {
        let t = self.page.t;
        let alert = if self.has_visitor {
            Alert::warn(t.of("common.old_page"))
        } else {
            Alert::bad(t.of("common.no_cookies"))
        };
        let page = {
            let pages = gate.app.pages.read().unwrap_or_else(PoisonError::into_inner);
            pages.get(gate.row.path).cloned()
        };
        let Some(page) = page else {
            let words = self.page.t.of("error.old_text").to_owned();
            return page::error::old(self.page.clone().with(alert), words);
        };
        let form = self.form.take().unwrap_or_default();
        head.method = Method::GET;
        head.extensions.insert(ComesBack(form, alert));
        let mut response = page.call(Request::from_parts(head, Body::empty()), gate.app.clone()).await;
        if response.status() == StatusCode::OK {
            *response.status_mut() = StatusCode::FORBIDDEN;
        }
        response
    }
}

/// Whether the form's page is the GET row of the same path, which shows what was typed.
pub(super) fn has_page(gate: &Gate) -> bool {
    gate.app.pages.read().unwrap_or_else(PoisonError::into_inner).contains_key(gate.row.path)
}

async fn read_form(headers: &HeaderMap, body: Body) -> Result<RawForm, Problem> {
    let kind = headers.get(header::CONTENT_TYPE).map_or(&b""[..], HeaderValue::as_bytes);
    if !kind.starts_with(b"application/x-www-form-urlencoded") && !kind.is_empty() {
        return Err(Problem::Bad);
    }
    let bytes = axum::body::to_bytes(body, MOST_BYTES).await.map_err(|_| Problem::Bad)?;
    RawForm::parse(&bytes).ok_or(Problem::Bad)
}
