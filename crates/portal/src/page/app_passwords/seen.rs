//! What was seen at a door, as whoever waits for an application's first sign-in reads it: what happened, and the cure (B10).

use std::net::IpAddr;
use std::time::Duration;

use askama::Template;
use gatepost_core::{AppPasswordId, Timestamp};
use gatepost_identity::{AppPassword, DoorEvent, DoorReport, Protocol, Protocols, RefusedBecause};
use gatepost_web::Moment;

use super::application::Application;
use super::{allowed_words, application_of};
use crate::frame::{Page, Problem, Texts};
use crate::page::badge::{Badge, Shape};

/// One line of the panel.
#[derive(Template)]
#[template(path = "app_passwords/seen.html")]
pub(super) struct Seen {
    pub(super) badge: Badge,
    pub(super) words: String,
    /// What to do; empty where nothing is.
    pub(super) cure: String,
    pub(super) at: Moment,
}

/// Whoever looks at the panel of one app password.
#[derive(Clone)]
pub(super) struct Watcher {
    page: Page,
    app_password: AppPasswordId,
    user_name: String,
    made_at: Timestamp,
    allowed: Protocols,
    /// The same in words.
    may: String,
    application: &'static Application,
    strangers: Strangers,
}

/// Of which tries that are nobody's in particular a panel tells: those might be another organisation's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Strangers {
    All,
    From(IpAddr),
    None,
}

impl Strangers {
    fn of(n_organisations: usize, source: IpAddr, is_proxy: bool) -> Self {
        if n_organisations <= 1 {
            Self::All
        } else if source.is_loopback() || is_proxy {
            // Anybody's requests come from there.
            Self::None
        } else {
            Self::From(source)
        }
    }

    fn include(self, source: IpAddr) -> bool {
        match self {
            Self::All => true,
            Self::From(own) => own.to_canonical() == source.to_canonical(),
            Self::None => false,
        }
    }
}

impl Watcher {
    pub(super) async fn of(page: &Page, it: &AppPassword) -> Result<Self, Problem> {
        let app = &page.app;
        let n_organisations = app.rooms.identity.list_organisations().await?.len();
        let source = page.visitor.source;
        let is_proxy = app.settings.trusted_proxies.iter().any(|it| it.contains(source));
        Ok(Self {
            page: page.clone(),
            app_password: it.id,
            user_name: it.user_name.clone(),
            made_at: it.created_at,
            allowed: it.limits.allowed,
            may: allowed_words(page, it),
            application: application_of(it).unwrap_or_else(Application::generic),
            strangers: Strangers::of(n_organisations, source, is_proxy),
        })
    }

    /// The line for a report; none where it is not theirs to see, or was over before there was this app password.
    pub(super) fn seen(&self, report: &DoorReport, now: Timestamp) -> Option<Seen> {
        if report.at < self.made_at && !is_still_slowed(report, now) {
            return None;
        }
        let t = self.page.t;
        let how = self.how(report);
        let say = |key: &str| t.fill(key, &[("how", how.as_str())]);
        let door = self.door(report.protocol);
        let cure = |key: &str| t.fill(key, &[("user_name", &self.user_name), ("door", &door)]);
        let (badge, words, cure) = match &report.event {
            // Whether it works is seen at the mailbox.
            DoorEvent::SignedIn { .. } if is_for_reading(report.protocol) => {
                (good(t.of("listen.right")), say("listen.signed_in_to_read"), String::new())
            }
            DoorEvent::SignedIn { .. } => {
                (good(t.of("listen.works")), say("listen.signed_in"), String::new())
            }
            DoorEvent::Opened { .. } => (good(t.of("listen.works")), say("listen.opened"), String::new()),
            DoorEvent::NotOpened { because, .. } => {
                let because = because.trim_end_matches('.');
                (bad(t.of("listen.unread")), say("listen.not_opened"), format!("{because}."))
            }
            DoorEvent::Refused { app_password, why, .. } => {
                let is_other = app_password.is_some_and(|it| it != self.app_password);
                if is_other {
                    (bad(t.of("listen.refused")), say("listen.other"), cure("listen.other_cure"))
                } else if matches!(why, RefusedBecause::Protocol) {
                    let (words, cure) = self.not_allowed(report.protocol, &how);
                    (bad(t.of("listen.refused")), words, cure)
                } else {
                    let (words, cure_key) = refused(*why);
                    (bad(t.of("listen.refused")), say(words), cure(cure_key))
                }
            }
            DoorEvent::UnknownUserName { typed, meant: Some(_) } => {
                let words =
                    t.fill("listen.wrong_user_name", &[("how", how.as_str()), ("typed", typed.as_str())]);
                (bad(t.of("listen.refused")), words, cure("listen.wrong_user_name_cure"))
            }
            DoorEvent::UnknownUserName { meant: None, .. } if self.strangers.include(report.source) => (
                bad(t.of("listen.refused")),
                say("listen.unknown_user_name"),
                cure("listen.unknown_user_name_cure"),
            ),
            DoorEvent::NoTls if self.strangers.include(report.source) => {
                (bad(t.of("listen.refused")), say("listen.no_tls"), cure("listen.no_tls_cure"))
            }
            DoorEvent::Slowed { whose, retry_after }
                if whose.is_some() || self.strangers.include(report.source) =>
            {
                let left = retry_after.saturating_sub(now.since(report.at));
                (bad(t.of("listen.refused")), slowed(t, report.source, left), cure("listen.slowed_cure"))
            }
            DoorEvent::UnknownUserName { .. } | DoorEvent::NoTls | DoorEvent::Slowed { .. } => return None,
        };
        Some(Seen { badge, words, cure, at: self.page.app.zone.show(report.at, now) })
    }

    /// A line about the panel itself.
    pub(super) fn note(&self, words: &str, now: Timestamp) -> Seen {
        let badge = Badge::new("calm", Shape::Pause, self.page.t.of("listen.stopped"));
        Seen { badge, words: words.to_owned(), cure: String::new(), at: self.page.app.zone.show(now, now) }
    }

    /// What it may do instead, and the cure: by the other protocol for reading, if it reads by that.
    fn not_allowed(&self, tried: Protocol, how: &str) -> (String, String) {
        let t = self.page.t;
        let other = match tried {
            Protocol::Imap => Some((Protocol::Pop3, "POP3", "IMAP")),
            Protocol::Pop3 => Some((Protocol::Imap, "IMAP", "POP3")),
            Protocol::Smtp | Protocol::Api => None,
        };
        let other = other.filter(|(protocol, ..)| self.allowed.allow(*protocol));
        let (not, cure) = if let Some((_, other, tried)) = other {
            let values = [("other", other), ("tried", tried)];
            (t.fill("listen.not_by", &values), t.fill("listen.not_by_cure", &values))
        } else {
            let wanted = t.of(match tried {
                Protocol::Smtp => "app_passwords.may_send",
                Protocol::Imap | Protocol::Pop3 => "app_passwords.may_read",
                Protocol::Api => "app_passwords.may_api",
            });
            (wanted.to_owned(), t.fill("listen.protocol_cure", &[("wanted", wanted)]))
        };
        (t.fill("listen.protocol", &[("may", &self.may), ("not", &not), ("how", how)]), cure)
    }

    /// `192.168.1.40 by SMTP, TLS 1.3, AUTH LOGIN`.
    fn how(&self, report: &DoorReport) -> String {
        let protocol = report.protocol.to_string().to_uppercase();
        let from = format!("{} by {protocol}", report.source);
        let mechanism = report.mechanism.map(|it| match report.protocol {
            // Those name a command as well.
            Protocol::Imap | Protocol::Pop3 => it.to_owned(),
            Protocol::Smtp | Protocol::Api => format!("AUTH {it}"),
        });
        let parts = [Some(from.as_str()), report.tls, mechanism.as_deref()];
        parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
    }

    /// Port, and the application's word for its encryption.
    fn door(&self, protocol: Protocol) -> String {
        let (mail, application) = (&self.page.app.settings.mail, self.application);
        let ports = match protocol {
            Protocol::Imap => mail.imap,
            Protocol::Pop3 => mail.pop3,
            Protocol::Smtp | Protocol::Api => mail.smtp,
        };
        let (port, word) = match (ports.starttls, ports.tls) {
            (Some(port), _) => (port, &application.starttls),
            (None, Some(port)) => (port, &application.tls),
            (None, None) => (0, &application.tls),
        };
        self.page.t.fill("listen.door", &[("word", word), ("port", &port.to_string())])
    }
}

/// What an application with such an app password does first, as the key of a text.
pub(super) const fn first_use(allowed: Protocols) -> &'static str {
    let reads = allowed.allow(Protocol::Imap) || allowed.allow(Protocol::Pop3);
    match (allowed.allow(Protocol::Smtp), reads) {
        (true, false) => "listen.now_send",
        (false, true) => "listen.now_read",
        (true, true) => "listen.now_both",
        (false, false) => "listen.now_other",
    }
}

const fn is_for_reading(protocol: Protocol) -> bool {
    matches!(protocol, Protocol::Imap | Protocol::Pop3)
}

/// Whether a source still has to wait: that began before, and is not told again.
fn is_still_slowed(report: &DoorReport, now: Timestamp) -> bool {
    matches!(report.event, DoorEvent::Slowed { retry_after, .. } if now.since(report.at) < retry_after)
}

/// What happened, and the cure, as keys of the texts.
const fn refused(why: RefusedBecause) -> (&'static str, &'static str) {
    match why {
        RefusedBecause::WrongPassword => ("listen.wrong_password", "listen.wrong_password_cure"),
        RefusedBecause::Removed => ("listen.removed", "listen.removed_cure"),
        RefusedBecause::Expired => ("listen.expired", "listen.expired_cure"),
        // Told with what it may do instead.
        RefusedBecause::Protocol => ("listen.protocol", "listen.protocol_cure"),
        RefusedBecause::Network => ("listen.network", "listen.network_cure"),
        RefusedBecause::LoginDisabled => ("listen.login_disabled", "listen.login_disabled_cure"),
        RefusedBecause::PersonDisabled => ("listen.person_disabled", "listen.person_disabled_cure"),
        // Told as an event of its own.
        RefusedBecause::UnknownUserName => ("listen.unknown_user_name", "listen.unknown_user_name_cure"),
    }
}

/// Who has to wait, and how long from now.
fn slowed(t: &Texts, source: IpAddr, left: Duration) -> String {
    let source = [("source", &*source.to_string())];
    let seconds = left.as_millis().div_ceil(1_000) as u64;
    match seconds {
        0 => t.fill("listen.slowed_over", &source),
        1..90 => t.count("listen.slowed_seconds", seconds, &source),
        90..5_400 => t.count("listen.slowed_minutes", seconds.div_ceil(60), &source),
        _ => t.count("listen.slowed_hours", seconds.div_ceil(3_600), &source),
    }
}

fn good(word: &str) -> Badge {
    Badge::new("good", Shape::Tick, word)
}

fn bad(word: &str) -> Badge {
    Badge::new("bad", Shape::Cross, word)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The table "Live" of docs/decisions/0010.
    #[test]
    fn what_is_nobodys_in_particular_is_told_to_those_who_may_see_it() {
        let (here, there): (IpAddr, IpAddr) = ([192, 0, 2, 1].into(), [192, 0, 2, 2].into());
        let loopback: IpAddr = [127, 0, 0, 1].into();
        for (n, source, is_proxy, from, want) in [
            (1, here, false, here, true),
            (1, here, false, there, true),
            (1, loopback, false, there, true),
            (2, here, false, here, true),
            (2, here, false, there, false),
            (2, loopback, false, loopback, false),
            (2, here, true, here, false),
        ] {
            assert_eq!(
                Strangers::of(n, source, is_proxy).include(from),
                want,
                "{n} {source} {is_proxy} {from}"
            );
        }
    }

    #[test]
    fn who_is_slowed_reads_for_how_long() {
        let (t, source) = (Texts::english(), [192, 168, 1, 40].into());
        for (millis, words) in [
            (0, "The wait is over"),
            (1, "again in 1 second."),
            (59_400, "again in 60 seconds."),
            (90_000, "again in 2 minutes."),
            (86_400_000, "again in 24 hours."),
        ] {
            let said = slowed(t, source, Duration::from_millis(millis));
            assert!(said.starts_with("Too many wrong tries from 192.168.1.40"), "{said}");
            assert!(said.contains(words), "{millis}: {said}");
        }
    }

    #[test]
    fn each_refusal_has_a_sentence_and_a_cure_of_its_own() {
        let all = [
            RefusedBecause::WrongPassword,
            RefusedBecause::Removed,
            RefusedBecause::Expired,
            RefusedBecause::Protocol,
            RefusedBecause::Network,
            RefusedBecause::LoginDisabled,
            RefusedBecause::PersonDisabled,
            RefusedBecause::UnknownUserName,
        ];
        let keys: std::collections::BTreeSet<_> = all.map(refused).into_iter().collect();
        assert_eq!(keys.len(), all.len());
    }
}
