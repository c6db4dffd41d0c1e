//! The gate of every row: who asks, whether they may, whether a form is ours, whether they have proven lately. No handler is called
//! otherwise than through here, and the router is built from rows alone.

mod form;
mod prove;

use std::collections::HashMap;
use std::future::poll_fn;
use std::net::{IpAddr, Ipv4Addr};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::{Arc, PoisonError};
use std::task::Poll;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::handler::Handler as _;
use axum::http::request::Parts as Head;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use axum_extra::extract::CookieJar;
use axum_extra::extract::cookie::Cookie;
use gatepost_core::{PersonId, SecretText, Timestamp};
use gatepost_identity::{Policy, Role, Session, Visitor};
use gatepost_web::Caller;

use super::answer::Marked;
use super::{
    Access, Alert, App, CookieName, Kind, OnwardPage, Page, PreSigned, Problem, RawForm, Route, RouteRow,
    Signed, Theme, device, paths, see_other, show,
};
use crate::page;
use crate::page::accounts::PopUp;
use form::{ComesBack, has_page};

/// What one gate goes by.
#[derive(Clone)]
struct Gate {
    app: App,
    row: Arc<RouteRow>,
}

/// The router of all rows.
pub(crate) fn router(app: &App, routes: Vec<Route>) -> Router {
    let mut pages = HashMap::new();
    let mut router = Router::new();
    for Route { row, handler } in routes {
        let gate = Gate { app: app.clone(), row: Arc::new(row.clone()) };
        let guarded = handler.layer(middleware::from_fn_with_state(gate, pass));
        if row.method == Method::GET && row.kind == Kind::Page {
            pages.insert(row.path, guarded.clone());
        }
        router = router.route(row.path, guarded);
    }
    *app.pages.write().unwrap_or_else(PoisonError::into_inner) = pages;
    let nothing = Arc::new(RouteRow {
        method: Method::GET,
        path: "",
        access: Access::Public,
        needs_proof: false,
        spares_operators: false,
        kind: Kind::Part,
        opens_before_factor: true,
    });
    let gate = Gate { app: app.clone(), row: nothing };
    let nothing = (async || Problem::NotFound).layer(middleware::from_fn_with_state(gate, pass));
    router.method_not_allowed_fallback(nothing.clone()).fallback(nothing).with_state(app.clone())
}

/// A session that was ended so lately went on under another token: a form of it that comes now was sent twice.
const PAST_WITHIN: Duration = Duration::from_secs(30);

/// Everything there is to know of whoever asks.
struct Visit {
    page: Page,
    session: Option<Session>,
    pre_signed: Option<PreSigned>,
    /// What the answer sets.
    cookies: Vec<Cookie<'static>>,
    /// Whether the browser sent a visitor cookie, without which no form can be believed.
    has_visitor: bool,
    /// Whose the session was that the browser remembers, if it is over.
    owner: Option<PersonId>,
    /// Whether another site's link was followed just now, and led on.
    was_led_on: bool,
    /// What the sign-in page begins with: that a session or a step which the browser remembers is over.
    over: Option<&'static str>,
    form: Option<RawForm>,
}

async fn pass(State(gate): State<Gate>, request: Request, next: Next) -> Response {
    if gate.row.kind == Kind::Plain {
        return run(next, request).await;
    }
    // A look at the head alone would use up what is shown once, and show it to nobody.
    if request.method() == Method::HEAD {
        return (StatusCode::METHOD_NOT_ALLOWED, [(header::ALLOW, "GET, POST")]).into_response();
    }
    // A body cannot be shared between threads, so everything but the handler sees the head alone.
    let (head, body) = request.into_parts();
    let (mut visit, refused) = match Visit::of(&gate, &head).await {
        Ok(visit) => (visit, None),
        Err((visit, problem)) => (visit, Some(problem)),
    };
    let response = match refused {
        Some(problem) => problem.into_response(),
        None => visit.go_on(&gate, head, body, next).await,
    };
    visit.finish(&gate, response)
}

impl Visit {
    /// Reads the cookies. A database that is away still gives a page to say so on.
    async fn of(gate: &Gate, head: &Head) -> Result<Self, (Self, Problem)> {
        let app = &gate.app;
        let jar = CookieJar::from_headers(&head.headers);
        let known = app.cookies.find(&jar, CookieName::Visitor).filter(|it| is_visitor_id(it));
        let theme = app.cookies.find(&jar, CookieName::Theme).and_then(|it| it.parse::<Theme>().ok());
        let mut cookies = Vec::new();
        let visitor_id = known.clone().unwrap_or_else(|| {
            let new: String =
                app.rooms.store.world().random::<16>().iter().map(|it| format!("{it:02x}")).collect();
            cookies.push(app.cookies.visitor(&new));
            new
        });
        let page = Page {
            t: app.t,
            app: app.clone(),
            theme: theme.unwrap_or_default(),
            person: None,
            organisation: String::new(),
            is_whole: false,
            nav: None,
            form_token: app.rooms.people.form_token(&visitor_id, None),
            alerts: Vec::new(),
            pop_up: None,
            now: app.now(),
            path: head.uri.path_and_query().map_or("/", |it| it.as_str()).to_owned(),
            visitor: visitor(head),
            visitor_id,
            session_token: app.cookies.find_token(&jar, CookieName::Session),
        };
        let has_visitor = known.is_some();
        let was_led_on = app.cookies.find(&jar, CookieName::Onward).is_some();
        if was_led_on {
            cookies.push(app.cookies.end(CookieName::Onward));
        }
        let mut visit = Self {
            page,
            session: None,
            pre_signed: None,
            cookies,
            has_visitor,
            owner: None,
            was_led_on,
            over: None,
            form: None,
        };
        match visit.recognise(gate, &jar, head).await {
            Ok(()) => Ok(visit),
            Err(problem) => Err((visit, problem)),
        }
    }

    async fn recognise(&mut self, gate: &Gate, jar: &CookieJar, head: &Head) -> Result<(), Problem> {
        let app = &gate.app;
        if let Some(token) = self.page.session_token.clone() {
            // A panel that renews itself does not keep anybody signed in (WP-3).
            let is_activity = gate.row.kind == Kind::Page && !head.headers.contains_key("gatepost-live");
            match app.rooms.people.find_session(&token, is_activity).await? {
                Some(session) => self.sign_in(app, session).await?,
                // The cookie stays: another answer may be on its way with the one that follows it.
                None => {
                    self.over = Some("sign_in.over");
                    if !is_reading(&head.method) {
                        let ended = app.rooms.people.find_ended_session(&token).await?;
                        let is_past = |at: Timestamp| self.page.now.since(at) < PAST_WITHIN;
                        self.owner = ended.filter(|(_, at)| !at.is_some_and(is_past)).map(|(owner, _)| owner);
                    }
                }
            }
        }
        if gate.row.access == Access::SecondStep
            && let Some(token) = app.cookies.find_token(jar, CookieName::PreSession)
        {
            let found = app.rooms.people.find_pre_session(&token).await?;
            self.over = found.is_none().then_some("second_step.over");
            self.pre_signed = found.map(|pre_session| PreSigned { token, pre_session });
        }
        Ok(())
    }

    async fn sign_in(&mut self, app: &App, session: Session) -> Result<(), Problem> {
        let house = app.house(session.organisation()).await?;
        let needs_two_step =
            Policy::of(session.person.role).needs_two_step && session.person.two_step_at.is_none();
        self.page.organisation = house.name;
        let must_set_up = !house.is_set_up && session.person.role == Role::Administrator;
        self.page.is_whole = !needs_two_step && !must_set_up && !session.needs_factor;
        self.page.person = Some(Arc::new(session.person.clone()));
        self.page.form_token = app.rooms.people.form_token(&self.page.visitor_id, Some(session.lineage));
        self.session = Some(session);
        Ok(())
    }

    async fn go_on(&mut self, gate: &Gate, mut head: Head, body: Body, next: Next) -> Response {
        let mut body = Some(body);
        if let Err(problem) = self.catch_up(gate, &head, &mut body).await {
            return problem.into_response();
        }
        if let Some(path) = self.onward(gate, &head) {
            self.cookies.push(gate.app.cookies.onward());
            return show(StatusCode::OK, &OnwardPage { page: self.page.clone(), path });
        }
        if let Some(elsewhere) = self.judge(gate, &head) {
            let is_kept = self.session.is_none() && elsewhere.status().is_redirection();
            let form = self.form.take();
            if let (Some(owner), Some(form)) = (self.owner.filter(|_| is_kept), form) {
                self.keep_form(gate, owner, &head, form);
            }
            return elsewhere;
        }
        if let Some(ComesBack(form, alert)) = head.extensions.get::<ComesBack>().cloned() {
            self.page.alerts.push(alert);
            self.form = Some(form);
        } else if is_reading(&head.method) {
            if gate.row.kind == Kind::Page {
                self.page.alerts.extend(gate.app.alerts.take(&self.page.visitor_id));
            }
        } else if !gate.row.path.is_empty() {
            let mut form = match self.take_form(&head, &mut body).await {
                Ok(form) => form,
                Err(problem) => return problem.into_response(),
            };
            let token = form.take("form_token");
            self.form = Some(form);
            let session = self.session.as_ref().map(|it| it.lineage);
            let is_ours = |it: &SecretText| {
                gate.app.rooms.people.is_form_token(it.reveal(), &self.page.visitor_id, session)
            };
            if !self.has_visitor || !token.as_ref().is_some_and(is_ours) {
                return self.come_back(gate, head).await;
            }
        }
        if let Some(asked) = self.prove(gate, &head).await {
            return asked;
        }
        if head.method == Method::GET && gate.row.kind == Kind::Page && self.form.is_none() {
            self.find_form(gate);
        }
        self.tell_of_trouble(gate).await;
        let extensions = &mut head.extensions;
        extensions.insert(self.page.clone());
        if let Some(session) = &self.session {
            extensions.insert(Signed(session.clone()));
        }
        if let Some(pre_signed) = &self.pre_signed {
            extensions.insert(pre_signed.clone());
        }
        if let Some(form) = &self.form {
            extensions.insert(form.clone());
        }
        // The body was read above; no handler needs it again.
        run(next, Request::from_parts(head, Body::empty())).await
    }

    /// Mail accounts that need whoever asks, at the head of whole pages. A page is shown without it rather than not at all.
    async fn tell_of_trouble(&mut self, gate: &Gate) {
        let Some(session) = self.session.as_ref().filter(|_| self.page.is_whole) else { return };
        if gate.row.kind != Kind::Page || gate.row.access == Access::Public {
            return;
        }
        match PopUp::of(&self.page, session, self.page.back()).await {
            Ok(found) => self.page.pop_up = found,
            Err(problem) => tracing::warn!(?problem, "what needs a sign-in is not told on a page"),
        }
    }

    /// The page to lead on to, where another site led here and the cookie may not have come for that reason; once.
    fn onward(&self, gate: &Gate, head: &Head) -> Option<String> {
        let row = &gate.row;
        let may = match row.access {
            Access::Public | Access::SecondStep => false,
            Access::Signed | Access::Enrolling => true,
            Access::Administrator => gate.app.may_administer(self.page.visitor.source),
        };
        let site = head.headers.get("sec-fetch-site").map(HeaderValue::as_bytes);
        let is_led = may && site == Some(b"cross-site") && head.method == Method::GET && !self.was_led_on;
        let is_unknown = self.session.is_none() && self.over.is_none();
        let found = gate.app.thens.find(&self.page.path).filter(|_| is_led && is_unknown);
        found.map(|it| it.as_str().to_owned())
    }

    /// To the sign-in page, with a reason, and from there back to here.
    fn to_sign_in(&self, gate: &Gate, head: &Head) -> Response {
        let (row, thens) = (&gate.row, &gate.app.thens);
        let is_form = !is_reading(&head.method);
        // A button has no page of its own; the nearest above it is the one that it was on.
        let above = || thens.find_above(&self.page.path).filter(|_| is_form);
        // A step of the way in knows in its address where it leads.
        let behind = || thens.find_behind(&self.page.path);
        let then = thens.find(&self.page.path).or_else(behind).or_else(above);
        let unsent = is_form.then_some("sign_in.over_unsent");
        let over = match row.access {
            // Browsers forget the cookie of a pre-session in time.
            Access::SecondStep => self.over.or(is_form.then_some("second_step.over")),
            _ if row.opens_before_factor => self.over,
            _ if self.owner.is_some() && has_page(gate) => Some("sign_in.over_kept"),
            _ if self.owner.is_some() => unsent,
            _ => self.over.or(unsent),
        };
        if let Some(key) = over {
            self.page.leave(Alert::warn(self.page.t.of(key)));
        }
        see_other(&then.map_or_else(|| paths::SIGN_IN.to_owned(), |it| it.behind(paths::SIGN_IN)))
    }

    /// Whether they may; otherwise where they go. One place for every row (WP-9).
    fn judge(&self, gate: &Gate, head: &Head) -> Option<Response> {
        let row = &gate.row;
        let to_sign_in = || self.to_sign_in(gate, head);
        let go_on = || {
            let then = gate.app.thens.find_behind(&self.page.path);
            see_other(then.as_ref().map_or(paths::HOME, |it| it.as_str()))
        };
        match row.access {
            Access::Public => return None,
            Access::SecondStep => {
                let elsewhere = || if self.session.is_some() { go_on() } else { to_sign_in() };
                return self.pre_signed.is_none().then(elsewhere);
            }
            Access::Administrator if !gate.app.may_administer(self.page.visitor.source) => {
                return Some(Problem::NotFound.into_response());
            }
            Access::Signed | Access::Enrolling | Access::Administrator => {}
        }
        let Some(session) = &self.session else { return Some(to_sign_in()) };
        let person = &session.person;
        if row.access == Access::Administrator && !self.page.is_administrator() {
            return Some(Problem::NotFound.into_response());
        }
        if row.path == paths::CONFIRM && !session.needs_factor && session.is_proven(self.page.now) {
            // Posted twice: the code is spent, and all is well.
            return Some(go_on());
        }
        if row.opens_before_factor || session.needs_factor || row.access == Access::Enrolling {
            // What a stale lasting session may do is asked with the other proofs.
            return None;
        }
        if Policy::of(person.role).needs_two_step && person.two_step_at.is_none() {
            return Some(see_other(paths::TWO_STEP));
        }
        (!self.page.is_whole).then(|| see_other(paths::SET_UP))
    }

    /// Makes a page of a problem, and sets the cookies.
    fn finish(self, gate: &Gate, mut response: Response) -> Response {
        // Whoever is signed in needs no reason to sign in again; and a form that came back and whose page leads on is done.
        let is_past = self.session.is_some() && gate.row.path == paths::SIGN_IN;
        if let Some(Marked(problem)) = response.extensions_mut().remove::<Marked>() {
            let carried = self.form.as_ref().map(RawForm::without_secrets);
            response = page::error::show_problem(self.page, &problem, carried);
        } else if response.status().is_redirection() && self.form.is_none() && !is_past {
            gate.app.alerts.leave(&self.page.visitor_id, self.page.alerts);
        }
        let is_done = response.status().is_success() || response.status().is_redirection();
        if let Some(ring) =
            gate.app.settings.ring.as_ref().filter(|_| is_done && gate.row.method == Method::POST)
        {
            ring();
        }
        let mut jar = CookieJar::new();
        let already: Vec<String> = set_names(response.headers());
        for cookie in self.cookies {
            // What a handler sets is newer than what the gate would.
            if !already.iter().any(|it| it == cookie.name()) {
                jar = jar.add(cookie);
            }
        }
        (jar, response).into_response()
    }
}

fn set_names(headers: &HeaderMap) -> Vec<String> {
    let names = headers.get_all(header::SET_COOKIE).iter();
    names.filter_map(|it| Some(it.to_str().ok()?.split('=').next()?.to_owned())).collect()
}

/// Runs the handler. A mistake of ours becomes a page, not a broken connection (WP-12).
async fn run(next: Next, request: Request) -> Response {
    let mut running = pin!(next.run(request));
    let ran = poll_fn(|context| match catch_unwind(AssertUnwindSafe(|| running.as_mut().poll(context))) {
        Ok(poll) => poll.map(Some),
        // The panic's own message and place were printed by the panic hook.
        Err(_panic) => Poll::Ready(None),
    });
    match ran.await {
        Some(response) => response,
        None => Problem::Broken("a page ended by a mistake in this program".into()).into_response(),
    }
}

const fn is_reading(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD)
}

fn is_visitor_id(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|it| it.is_ascii_hexdigit())
}

fn visitor(head: &Head) -> Visitor {
    let source = head.extensions.get::<Caller>().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |it| it.0);
    let said = head.headers.get(header::USER_AGENT).and_then(|it| it.to_str().ok());
    Visitor { source, device: device::device(said.unwrap_or_default()) }
}
