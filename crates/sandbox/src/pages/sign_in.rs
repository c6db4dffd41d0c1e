//! The way of a person from an application's request to our answer: choosing an account, password, second step, consent.
//!
//! Each page has the flow's word in its address; each form leads to a redirect, so that going back and loading anew do no harm.

mod view;

use axum::extract::{Form, Path, Query, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse as _, Redirect, Response};
use gatepost_core::{EmailAddress, SecretText};
use serde::Deserialize;

use super::Pages;
use crate::mailbox::SecondStep;
use crate::oauth::{AuthorizationRequest, Code, Flow, Place, Rejection, Scope, Stage, TroubleKind};

/// Where somebody stands once an account has signed in.
enum Next {
    Stage(Stage),
    /// Nothing has to be asked.
    Done(Vec<Scope>),
}

#[derive(Deserialize)]
pub(super) struct AccountForm {
    #[serde(default)]
    address: String,
}

#[derive(Deserialize)]
pub(super) struct PasswordForm {
    #[serde(default)]
    password: String,
}

#[derive(Deserialize)]
pub(super) struct CodeForm {
    #[serde(default)]
    code: String,
}

/// `/oauth2/auth`: RFC 6749 §3.1.
pub(super) async fn begin(
    State(pages): State<Pages>,
    headers: HeaderMap,
    Query(query): Query<Vec<(String, String)>>,
) -> Response {
    let oauth = &pages.provider.oauth;
    let request = match AuthorizationRequest::check(&query, &oauth.clients, &oauth.issuer) {
        Ok(request) => request,
        Err(Rejection::Page { status, code, sentence }) => return view::blocked(status, code, sentence),
        Err(Rejection::Redirect(url)) => return Redirect::to(url.as_str()).into_response(),
    };
    if let Some(trouble) = oauth.troubles.strike(Place::Authorize) {
        tokio::time::sleep(trouble.wait).await;
        if trouble.kind == TroubleKind::Answer {
            return pages.refuse(&request, &trouble.error, &trouble.description);
        }
    }
    let signed_in = oauth.browsers.accounts(&headers);
    let hint: Option<EmailAddress> = request.login_hint.as_ref().and_then(|it| it.parse().ok());
    if request.prompt.has("none") {
        return pages.answer_silently(&request, &signed_in, hint);
    }
    let stage = match hint {
        _ if request.prompt.has("select_account") && !signed_in.is_empty() => Stage::Choose,
        Some(hint) if !request.prompt.has("select_account") => {
            return pages.take_account(&headers, None, request, hint);
        }
        _ if signed_in.is_empty() => Stage::Identify,
        _ => Stage::Choose,
    };
    let id = oauth.flows.begin(Flow { request, stage });
    to_flow(&id)
}

pub(super) async fn show(State(pages): State<Pages>, headers: HeaderMap, Path(id): Path<String>) -> Response {
    let Some(flow) = pages.provider.oauth.flows.find(&id) else { return view::over() };
    // What kept somebody from going on may be gone by now.
    if let Stage::Approval(account) = &flow.stage
        && !pages.provider.mailboxes.credentials(account).security().needs_approval
    {
        return pages.go_on(&id, &flow.request, account.clone());
    }
    view::flow(&pages, &id, &flow, &headers, None)
}

/// Another account than the one that is on the page.
pub(super) async fn another(State(pages): State<Pages>, Path(id): Path<String>) -> Response {
    pages.provider.oauth.flows.move_to(&id, Stage::Identify);
    to_flow(&id)
}

pub(super) async fn account(
    State(pages): State<Pages>,
    headers: HeaderMap,
    Path(id): Path<String>,
    Form(form): Form<AccountForm>,
) -> Response {
    let Some(flow) = pages.provider.oauth.flows.find(&id) else { return view::over() };
    let typed = form.address.trim();
    if typed.is_empty() && flow.stage == Stage::Choose {
        pages.provider.oauth.flows.move_to(&id, Stage::Identify);
        return to_flow(&id);
    }
    match typed.parse() {
        Ok(account) => pages.take_account(&headers, Some(&id), flow.request, account),
        Err(_) => view::wrong_address(&id, &flow, typed),
    }
}

pub(super) async fn password(
    State(pages): State<Pages>,
    headers: HeaderMap,
    Path(id): Path<String>,
    Form(form): Form<PasswordForm>,
) -> Response {
    let Some(flow) = pages.provider.oauth.flows.find(&id) else { return view::over() };
    let Stage::Password(account) = &flow.stage else { return to_flow(&id) };
    let credentials = pages.provider.mailboxes.credentials(account);
    if !credentials.is_password(&SecretText::new(form.password)) {
        return view::flow(&pages, &id, &flow, &headers, Some("Wrong password. Try again."));
    }
    if credentials.security().second_step() == SecondStep::Off {
        return pages.signed_in(&headers, &id, &flow.request, account.clone());
    }
    pages.provider.oauth.flows.move_to(&id, Stage::SecondStep(account.clone()));
    to_flow(&id)
}

pub(super) async fn second_step(
    State(pages): State<Pages>,
    headers: HeaderMap,
    Path(id): Path<String>,
    Form(form): Form<CodeForm>,
) -> Response {
    let Some(flow) = pages.provider.oauth.flows.find(&id) else { return view::over() };
    let Stage::SecondStep(account) = &flow.stage else { return to_flow(&id) };
    let credentials = pages.provider.mailboxes.credentials(account);
    let is_right = match credentials.security().second_step() {
        SecondStep::Codes => credentials.is_code(&form.code, pages.provider.world.now()),
        // Whoever sees the page has the key.
        SecondStep::Off | SecondStep::Keys => true,
    };
    if !is_right {
        return view::flow(&pages, &id, &flow, &headers, Some("Wrong code. Try again."));
    }
    pages.signed_in(&headers, &id, &flow.request, account.clone())
}

/// The boxes that are ticked come as `scope`, the button as `answer`.
pub(super) async fn consent(
    State(pages): State<Pages>,
    Path(id): Path<String>,
    Form(form): Form<Vec<(String, String)>>,
) -> Response {
    let Some(flow) = pages.provider.oauth.flows.find(&id) else { return view::over() };
    let Stage::Consent(account) = &flow.stage else { return to_flow(&id) };
    let has = |name: &str, value: &str| form.iter().any(|(it, given)| it == name && given == value);
    if !has("answer", "allow") {
        return pages.leave(&id, &flow.request, "The user denied the request.");
    }
    let mut scopes = flow.request.scopes.clone();
    scopes.retain(|it| !it.is_optional() || has("scope", it.word()));
    pages.finish(&id, &flow.request, account.clone(), scopes)
}

/// Back to the application without having allowed anything.
pub(super) async fn cancel(State(pages): State<Pages>, Path(id): Path<String>) -> Response {
    let Some(flow) = pages.provider.oauth.flows.find(&id) else { return view::over() };
    let words = match flow.stage {
        Stage::Approval(_) => "AADSTS90094: The grant requires administrator permission.",
        _ => "The user denied the request.",
    };
    pages.leave(&id, &flow.request, words)
}

impl Pages {
    /// For `prompt=none` (OpenID Connect Core §3.1.2.6): no page is shown, whatever it costs.
    fn answer_silently(
        &self,
        request: &AuthorizationRequest,
        signed_in: &[EmailAddress],
        hint: Option<EmailAddress>,
    ) -> Response {
        let account = match (&hint, signed_in) {
            (Some(hint), accounts) => accounts.iter().find(|it| it.is_same_mailbox(hint)),
            (None, [only]) => Some(only),
            (None, _) => None,
        };
        let error = match account.map(|it| (it, self.next(request, it))) {
            None if signed_in.len() > 1 => "account_selection_required",
            None => "login_required",
            Some((account, Next::Done(scopes))) => return self.answer(request, account.clone(), scopes),
            Some((_, Next::Stage(Stage::Consent(_)))) => "consent_required",
            Some((_, Next::Stage(_))) => "interaction_required",
        };
        self.refuse(request, error, "Somebody has to be asked, and the request forbids it.")
    }

    /// Goes on with an account that was named: at once if it is signed in, else by its password.
    fn take_account(
        &self,
        headers: &HeaderMap,
        id: Option<&str>,
        request: AuthorizationRequest,
        account: EmailAddress,
    ) -> Response {
        let oauth = &self.provider.oauth;
        let is_known = oauth.browsers.is_signed_in(headers, &account) && !request.prompt.has("login");
        let begin = |stage: Stage| match id {
            Some(id) => {
                oauth.flows.move_to(id, stage);
                id.to_owned()
            }
            None => oauth.flows.begin(Flow { request: request.clone(), stage }),
        };
        let id = begin(Stage::Password(account.clone()));
        if is_known { self.go_on(&id, &request, account) } else { to_flow(&id) }
    }

    /// Remembers that somebody has signed in in this browser, and goes on.
    fn signed_in(
        &self,
        headers: &HeaderMap,
        id: &str,
        request: &AuthorizationRequest,
        account: EmailAddress,
    ) -> Response {
        let cookie = self.provider.oauth.browsers.sign_in(headers, &account, &self.provider.world);
        let mut response = self.go_on(id, request, account);
        if let Some(cookie) = cookie {
            response.headers_mut().append(header::SET_COOKIE, cookie);
        }
        response
    }

    fn go_on(&self, id: &str, request: &AuthorizationRequest, account: EmailAddress) -> Response {
        match self.next(request, &account) {
            Next::Stage(stage) => {
                self.provider.oauth.flows.move_to(id, stage);
                to_flow(id)
            }
            Next::Done(scopes) => self.finish(id, request, account, scopes),
        }
    }

    /// What has to be asked of an account that has signed in.
    fn next(&self, request: &AuthorizationRequest, account: &EmailAddress) -> Next {
        let provider = &self.provider;
        if provider.mailboxes.credentials(account).security().needs_approval {
            return Next::Stage(Stage::Approval(account.clone()));
        }
        let is_allowed = provider.oauth.grants.covers(account, &request.client, &request.scopes);
        if is_allowed && !request.prompt.has("consent") {
            return Next::Done(request.scopes.clone());
        }
        Next::Stage(Stage::Consent(account.clone()))
    }

    /// Ends the flow with a code; who comes second finds it over.
    fn finish(
        &self,
        id: &str,
        request: &AuthorizationRequest,
        account: EmailAddress,
        scopes: Vec<Scope>,
    ) -> Response {
        if !self.provider.oauth.flows.end(id) {
            return view::over();
        }
        self.answer(request, account, scopes)
    }

    fn leave(&self, id: &str, request: &AuthorizationRequest, words: &str) -> Response {
        self.provider.oauth.flows.end(id);
        self.refuse(request, "access_denied", words)
    }

    fn answer(&self, request: &AuthorizationRequest, account: EmailAddress, scopes: Vec<Scope>) -> Response {
        let oauth = &self.provider.oauth;
        let code = oauth.codes.issue(Code::new(request, account, scopes));
        back_to(request.answer(code.reveal(), &oauth.issuer).as_str())
    }

    fn refuse(&self, request: &AuthorizationRequest, error: &str, words: &str) -> Response {
        back_to(request.refusal(error, words, &self.provider.oauth.issuer).as_str())
    }
}

fn back_to(url: &str) -> Response {
    Redirect::to(url).into_response()
}

fn to_flow(id: &str) -> Response {
    Redirect::to(&format!("/oauth2/sign-in/{}", super::path_segment(id))).into_response()
}

/// Browsers ask the policy of the page that holds a form about each address that the form leads to, so the application's is
/// among them (Content Security Policy 3, §6.4.1).
fn policy(request: &AuthorizationRequest) -> HeaderValue {
    let origin = request.redirect_origin();
    // The grammar of policies has no brackets.
    let target = if origin.contains('[') { origin.split("//").next().unwrap_or_default() } else { &origin };
    let text = format!(
        "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; frame-ancestors 'none'; \
         form-action 'self' {target}"
    );
    text.parse().unwrap_or(HeaderValue::from_static("default-src 'none'; style-src 'self'; img-src 'self'"))
}

#[cfg(test)]
mod tests;
