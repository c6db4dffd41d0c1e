//! Asking for a proof in the middle of a form.

use axum::http::request::Parts as Head;
use axum::response::{IntoResponse as _, Response};
use gatepost_identity::Session;

use super::{Gate, Visit, is_reading};
use crate::frame::{
    Access, Kind, OtherWay, Problem, ProofField, ProofPage, RawForm, misses_of, paths, proof_of, see_other,
    was_asked,
};

impl Visit {
    /// Asks for a proof where one is due, or checks the one that came along. Says what to answer instead of going on.
    pub(super) async fn prove(&mut self, gate: &Gate, head: &Head) -> Option<Response> {
        let session = self.session.clone().filter(|_| gate.row.access != Access::Public)?;
        let needs_factor = session.needs_factor && !gate.row.opens_before_factor;
        let is_asked = gate.row.needs_proof_of(session.person.role);
        let needs_proof = is_asked && !session.is_proven(self.page.now);
        if !needs_factor && !needs_proof {
            return None;
        }
        if is_reading(&head.method) {
            let then = gate.app.thens.find_or_home(&self.page.path);
            return Some(match gate.row.kind {
                Kind::Page => see_other(&then.behind(paths::CONFIRM)),
                Kind::Part | Kind::Plain => Problem::Forbidden.into_response(),
            });
        }
        let form = self.form.get_or_insert_default();
        let field = ProofField::chosen(&session, form);
        let (n_misses, was_asked) = (misses_of(form), was_asked(form, field));
        let Some((field, proof)) = proof_of(form) else {
            let asked = self.proof_page(&session, field, n_misses);
            return Some(if was_asked { asked.refuse(&field.empty(&self.page)) } else { asked.show() });
        };
        match self.page.confirm(&session, proof).await {
            Ok(new) => {
                self.cookies.push(self.page.continue_as(&session, &new));
                // Where a lasting session showed its password, what matters still needs the strongest factor.
                let is_enough = !is_asked || new.session.is_proven(self.page.now);
                let next = new.session.clone();
                match self.sign_in(&gate.app, new.session).await {
                    Ok(()) => (!is_enough).then(|| self.proof_page(&next, ProofField::of(&next), 0).show()),
                    Err(problem) => Some(problem.into_response()),
                }
            }
            Err(refusal) => Some(match field.refused(&self.page, refusal) {
                Ok(refused) => self.proof_page(&session, field, n_misses).refuse(&refused),
                Err(problem) => problem.into_response(),
            }),
        }
    }

    /// The page that asks for a proof in the middle of this form, and carries the rest of it.
    pub(super) fn proof_page(&self, session: &Session, field: ProofField, n_misses: u8) -> ProofPage {
        let carried = self.form.as_ref().map(RawForm::without_secrets).unwrap_or_default();
        let other = match (field, ProofField::of(session)) {
            (ProofField::Code, _) => Some(OtherWay::Button("recovery")),
            (ProofField::RecoveryCode, ProofField::Code) => Some(OtherWay::Button("app")),
            _ => None,
        };
        let (page, action) = (self.page.clone(), self.page.path.clone());
        ProofPage { page, action, carried, field, n_misses, error: None, other }
    }
}
