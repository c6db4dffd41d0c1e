//! The stream behind the listening panel: one event a report, as a part of the page (B10).

use std::time::Duration;

use askama::Template as _;
use axum::http::HeaderMap;
use axum_extra::extract::CookieJar;
use gatepost_core::AppPasswordId;
use gatepost_identity::{IdentityError, Listening, Token};
use tokio::time::{Instant, MissedTickBehavior};

use super::listeners::{Full, Place};
use super::right;
use super::seen::{Seen, Watcher};
use crate::frame::{Answer, App, CookieName, Events, Gone, Id, Page, Problem, Signed};

/// How long one stream lasts at most.
const LASTS: Duration = Duration::from_mins(10);

/// What happened shortly before somebody looked is told as well.
pub(super) const REMEMBERS: Duration = Duration::from_mins(10);

/// How often it is asked whether the session still lives; an empty line keeps proxies and finds browsers that have gone.
const LOOKS_EVERY: Duration = Duration::from_secs(5);

pub(super) async fn listen(
    page: Page,
    signed: Signed,
    Id(id): Id<AppPasswordId>,
    headers: HeaderMap,
) -> Answer {
    let (it, _) = right::find_full(&page, &signed, id).await?;
    let app = page.app.clone();
    let jar = CookieJar::from_headers(&headers);
    let token = app.cookies.find_token(&jar, CookieName::Session).ok_or(Problem::Over)?;
    let watcher = Watcher::of(&page, &it).await?;
    let (events, response) = Events::open();
    let stream = Stream { app: app.clone(), token, signed: signed.clone(), id, watcher, events };
    match app.listeners.begin(signed.id, signed.person().id) {
        Ok(place) => {
            let listening = app.rooms.reports.listen(signed.organisation(), it.login, id).await?;
            app.listeners.tasks.spawn(stream.run(listening, place));
        }
        // What is written waits for the browser.
        Err(Full::All) => stream.end(page.t.of("listen.too_many")).await,
        Err(Full::Own) => stream.end(page.t.of("listen.too_many_own")).await,
    }
    Ok(response)
}

struct Stream {
    app: App,
    token: Token,
    signed: Signed,
    id: AppPasswordId,
    watcher: Watcher,
    events: Events,
}

/// Why a stream is over although its browser is there.
enum Over {
    /// The server stops, or the session is over: a browser that asks again is told the rest.
    Silently,
    /// With a sentence, the key of a text.
    Saying(&'static str),
}

impl Stream {
    async fn run(mut self, listening: Listening, place: Place) {
        match self.tell(listening, place).await {
            Ok(Over::Saying(key)) => {
                let words = self.app.t.of(key).to_owned();
                self.end(&words).await;
            }
            Ok(Over::Silently) | Err(Gone) => {}
        }
    }

    async fn tell(&mut self, mut listening: Listening, place: Place) -> Result<Over, Gone> {
        let now = self.app.now();
        let past = listening.past(now - REMEMBERS);
        let past: String =
            past.iter().filter_map(|it| self.watcher.seen(it, now)).map(|it| part(&it)).collect();
        // Also for a browser that comes back: what it shows is written anew. An event without any data would not be one.
        self.events.replace(if past.is_empty() { " " } else { &past }).await?;
        let mut looks = tokio::time::interval_at(Instant::now() + LOOKS_EVERY, LOOKS_EVERY);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let over = tokio::time::sleep(LASTS);
        tokio::pin!(over);
        let stop = self.app.stop.clone();
        loop {
            // All of them may be dropped: a report that was not given is given at the next call.
            tokio::select! {
                () = stop.cancelled() => return Ok(Over::Silently),
                () = place.taken_over.cancelled() => return Ok(Over::Saying("listen.elsewhere")),
                () = &mut over => return Ok(Over::Saying("listen.over")),
                report = listening.next() => {
                    if let Some(seen) = self.watcher.seen(&report, self.app.now()) {
                        self.events.part(&part(&seen)).await?;
                    }
                }
                _ = looks.tick() => {
                    if !self.is_theirs().await {
                        return Ok(Over::Silently);
                    }
                    self.events.still_here().await?;
                }
            }
        }
    }

    /// Whether session and app password are still there. A database that is away ends nothing.
    async fn is_theirs(&self) -> bool {
        let session = self.app.rooms.people.find_session(&self.token, false).await;
        let it = self.app.rooms.identity.get_app_password(self.signed.organisation(), self.id).await;
        !matches!(session, Ok(None)) && !matches!(it, Err(IdentityError::NoSuchAppPassword(_)))
    }

    /// Says why it ends, and that the browser should not come back by itself.
    async fn end(mut self, words: &str) {
        let note = part(&self.watcher.note(words, self.app.now()));
        if self.events.part(&note).await.is_ok() {
            self.events.end().await;
        }
    }
}

/// A line of the panel.
fn part(seen: &Seen) -> String {
    seen.render().unwrap_or_default()
}
