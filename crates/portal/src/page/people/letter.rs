//! What became of the letter to a person: an invitation, or the word that somebody has made a link for them.

use gatepost_core::{SubmissionId, Timestamp};
use gatepost_delivery::state::StateName;
use gatepost_identity::Person;
use gatepost_journal::{NoticeKind, NoticeState, latest_notices};

use crate::frame::{App, Page, Problem};
use crate::page::outbox::{LetterRow, shown_state};

/// Notices that are looked at: the one that is meant is among the newest.
const LOOKED_AT: u32 = 20;

/// How it stands.
pub(super) struct Letter {
    pub(super) words: String,
    /// Whether somebody has to do something.
    pub(super) is_bad: bool,
    /// Its own page, once it is in the outbox.
    pub(super) href: Option<String>,
}

impl Letter {
    /// The newest of that kind since `since`, if one was written down.
    pub(super) async fn newest(
        app: &App,
        page: &Page,
        person: &Person,
        kind: NoticeKind,
        since: Timestamp,
    ) -> Result<Option<Self>, Problem> {
        let all = latest_notices(&app.rooms.store, person.organisation, person.id, LOOKED_AT).await?;
        let found = all.into_iter().find(|it| it.kind == kind && it.created_at >= since);
        let Some(notice) = found else { return Ok(None) };
        let to = notice.addresses.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        let t = page.t;
        let failed = |because: &str, key: &str| t.fill(key, &[("because", because.trim_end_matches('.'))]);
        Ok(Some(match notice.state {
            NoticeState::Waiting { because: None, .. } => {
                Self { words: t.fill("people.letter_waits", &[("to", &to)]), is_bad: false, href: None }
            }
            NoticeState::Waiting { because: Some(because), .. } => {
                Self { words: failed(&because, "people.letter_held"), is_bad: true, href: None }
            }
            NoticeState::GivenUp { because } => {
                Self { words: failed(&because, "people.letter_failed"), is_bad: true, href: None }
            }
            NoticeState::InOutbox => {
                let id = SubmissionId::from_uuid(notice.id.uuid());
                app.rooms.accounts.refresh(person.organisation).await?;
                let Some(letter) = app.rooms.outbox.show(person.organisation, id).await? else {
                    // Swept long after it was finished.
                    return Ok(None);
                };
                let row = LetterRow::new(page, &letter);
                let because = row.because.unwrap_or_default();
                let (words, is_bad) = match shown_state(page, &letter) {
                    StateName::Sent => (t.fill("people.letter_sent", &[("to", &to)]), false),
                    StateName::Waiting => (t.fill("people.letter_waits", &[("to", &to)]), false),
                    StateName::Deferred | StateName::Held => (failed(&because, "people.letter_held"), true),
                    StateName::Failed => (failed(&because, "people.letter_failed"), true),
                    StateName::Cancelled => (t.of("people.letter_cancelled").to_owned(), true),
                };
                Self { words, is_bad, href: Some(row.href) }
            }
        }))
    }
}
