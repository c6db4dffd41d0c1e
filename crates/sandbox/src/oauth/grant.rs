//! One grant: who allowed which application what, and the tokens that came of it.

use std::fmt;
use std::str::FromStr;
use std::time::{Duration, Instant};

use gatepost_core::{EmailAddress, Timestamp};
use serde::{Deserialize, Serialize};

use super::{Digest, Rotation, Scope};

/// Old refresh tokens that are recognised when they come back.
const SPENT_AT_MOST: usize = 16;

/// Access tokens of one grant that are good at the same time.
const ACCESS_AT_MOST: usize = 64;

/// Names one grant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct GrantId(pub(super) u64);

impl fmt::Display for GrantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// Exactly what [`GrantId`] prints.
impl FromStr for GrantId {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let id = u64::from_str_radix(text, 16).map(Self).map_err(|_| ())?;
        if id.to_string() == text { Ok(id) } else { Err(()) }
    }
}

/// A grant; its tokens are known by their digests alone.
#[derive(Clone, Debug)]
pub(crate) struct Grant {
    pub(crate) id: GrantId,
    pub(crate) account: EmailAddress,
    pub(crate) client_id: String,
    pub(crate) scopes: Vec<Scope>,
    pub(crate) granted_at: Timestamp,
    pub(crate) refreshed_at: Option<Timestamp>,
    pub(crate) n_refreshes: u64,
    /// Counts refresh tokens; an access token has that of the refresh token it came with.
    generation: u64,
    /// None where `offline_access` was not granted.
    refresh: Option<Digest>,
    /// The one before, while it still lives.
    previous: Option<Digest>,
    /// Older ones, newest last.
    spent: Vec<Digest>,
    access: Vec<Access>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Access {
    digest: Digest,
    generation: u64,
    scopes: Vec<Scope>,
    /// Milliseconds since 1970.
    expires_at: i64,
    /// Not known after a restart: then it is older than any fault.
    #[serde(skip)]
    set_at: Option<Instant>,
}

/// An access token that is good.
#[derive(Clone, Debug)]
pub(crate) struct GoodAccess {
    pub(crate) scopes: Vec<Scope>,
    /// When it was handed out, if that was since the start.
    pub(crate) set_at: Option<Instant>,
}

/// What a refresh token is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Presented {
    /// It can be exchanged.
    Good,
    /// It was once. Where rotation is strict, somebody has stolen it or its successor.
    Spent,
    Unknown,
}

impl Grant {
    pub(super) fn new(
        id: GrantId,
        account: EmailAddress,
        client_id: String,
        scopes: Vec<Scope>,
        granted_at: Timestamp,
    ) -> Self {
        Self {
            id,
            account,
            client_id,
            scopes,
            granted_at,
            refreshed_at: None,
            n_refreshes: 0,
            generation: 0,
            refresh: None,
            previous: None,
            spent: Vec::new(),
            access: Vec::new(),
        }
    }

    /// Gives the grant its first refresh token.
    pub(super) fn begin(&mut self, refresh: Digest) {
        self.generation += 1;
        self.refresh = Some(refresh);
    }

    pub(super) fn judge(&self, presented: Digest, rotation: Rotation) -> Presented {
        if self.refresh == Some(presented) {
            return Presented::Good;
        }
        if self.previous == Some(presented) {
            return if rotation == Rotation::Strict { Presented::Spent } else { Presented::Good };
        }
        if self.spent.contains(&presented) { Presented::Spent } else { Presented::Unknown }
    }

    /// Exchanges `presented`, which must be good, for `next` where tokens rotate.
    pub(super) fn exchange(&mut self, presented: Digest, next: Option<Digest>, now: Timestamp) {
        self.n_refreshes += 1;
        self.refreshed_at = Some(now);
        let Some(next) = next else { return };
        // Of the present and the previous one, that which did not come is over: the next token takes its place.
        for old in [self.refresh, self.previous].into_iter().flatten().filter(|it| *it != presented) {
            self.spent.push(old);
        }
        let n_too_many = self.spent.len().saturating_sub(SPENT_AT_MOST);
        self.spent.drain(..n_too_many);
        self.previous = Some(presented);
        self.begin(next);
    }

    pub(super) fn add_access(
        &mut self,
        digest: Digest,
        scopes: Vec<Scope>,
        now: Timestamp,
        lifetime: Duration,
    ) {
        self.access.retain(|it| now.millis() < it.expires_at);
        let n_too_many = (self.access.len() + 1).saturating_sub(ACCESS_AT_MOST);
        self.access.drain(..n_too_many);
        self.access.push(Access {
            digest,
            generation: self.generation,
            scopes,
            expires_at: (now + lifetime).millis(),
            set_at: Some(Instant::now()),
        });
    }

    pub(super) fn find_access(&self, digest: Digest, now: Timestamp) -> Option<GoodAccess> {
        let found = self.access.iter().find(|it| it.digest == digest && now.millis() < it.expires_at)?;
        Some(GoodAccess { scopes: found.scopes.clone(), set_at: found.set_at })
    }

    /// Notes that an access token was used; true if that ends the previous refresh token, which must be kept durably.
    pub(super) fn note_use(&mut self, digest: Digest) -> bool {
        let is_newest = self.access.iter().any(|it| it.digest == digest && it.generation == self.generation);
        match self.previous.take_if(|_| is_newest) {
            Some(over) => {
                self.spent.push(over);
                true
            }
            None => false,
        }
    }

    pub(super) fn expire_access(&mut self) {
        self.access.clear();
    }

    /// The digests by which it is found.
    pub(super) fn digests(&self) -> impl Iterator<Item = Digest> + '_ {
        let refresh = self.refresh.into_iter().chain(self.previous).chain(self.spent.iter().copied());
        refresh.chain(self.access.iter().map(|it| it.digest))
    }

    /// When the access token that lives longest ends, if one is good.
    pub(crate) fn access_until(&self, now: Timestamp) -> Option<Timestamp> {
        let latest = self.access.iter().map(|it| it.expires_at).max()?;
        (now.millis() < latest).then_some(Timestamp::from_millis(latest))
    }
}

/// The file of a grant.
#[derive(Serialize, Deserialize)]
struct Record {
    account: String,
    client_id: String,
    scopes: Vec<Scope>,
    granted_at: i64,
    refreshed_at: Option<i64>,
    n_refreshes: u64,
    generation: u64,
    refresh: Option<Digest>,
    previous: Option<Digest>,
    spent: Vec<Digest>,
    access: Vec<Access>,
}

pub(super) fn to_json(grant: &Grant) -> Vec<u8> {
    let it = grant.clone();
    let record = Record {
        account: it.account.as_str().to_owned(),
        client_id: it.client_id,
        scopes: it.scopes,
        granted_at: it.granted_at.millis(),
        refreshed_at: it.refreshed_at.map(Timestamp::millis),
        n_refreshes: it.n_refreshes,
        generation: it.generation,
        refresh: it.refresh,
        previous: it.previous,
        spent: it.spent,
        access: it.access,
    };
    serde_json::to_vec_pretty(&record).expect("texts and numbers are always JSON")
}

/// `None` if it is not ours.
pub(super) fn from_json(id: GrantId, bytes: &[u8]) -> Option<Grant> {
    let it: Record = serde_json::from_slice(bytes).ok()?;
    Some(Grant {
        id,
        account: it.account.parse().ok()?,
        client_id: it.client_id,
        scopes: it.scopes,
        granted_at: Timestamp::from_millis(it.granted_at),
        refreshed_at: it.refreshed_at.map(Timestamp::from_millis),
        n_refreshes: it.n_refreshes,
        generation: it.generation,
        refresh: it.refresh,
        previous: it.previous,
        spent: it.spent,
        access: it.access,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_000_000);

    fn grant() -> Grant {
        let account = "ana@sandbox.test".parse().unwrap();
        let mut grant = Grant::new(GrantId(7), account, "c".to_owned(), vec![Scope::MailSend], NOW);
        grant.begin(token(1));
        grant
    }

    fn token(n: u32) -> Digest {
        Digest::of(&n.to_string())
    }

    /// Exchanges one token for the next; what each is worth afterwards.
    fn after(grant: &mut Grant, presented: u32, next: u32, rotation: Rotation) -> Vec<Presented> {
        assert_eq!(grant.judge(token(presented), rotation), Presented::Good, "{presented}");
        grant.exchange(token(presented), Some(token(next)), NOW);
        (1..=next).map(|it| grant.judge(token(it), rotation)).collect()
    }

    #[test]
    fn a_lost_answer_can_be_asked_for_again_until_the_next_token_was_used() {
        use Presented::*;
        let mut grant = grant();
        assert_eq!(after(&mut grant, 1, 2, Rotation::Lenient), [Good, Good]);
        // The answer with 2 was lost: 1 comes again, and 2 is over.
        assert_eq!(after(&mut grant, 1, 3, Rotation::Lenient), [Good, Spent, Good]);
        // 3 arrived: 1 is over once it is used.
        assert_eq!(after(&mut grant, 3, 4, Rotation::Lenient), [Spent, Spent, Good, Good]);
        assert_eq!(grant.judge(token(9), Rotation::Lenient), Unknown);
        assert_eq!(grant.n_refreshes, 3);
    }

    #[test]
    fn an_access_token_that_is_used_ends_the_previous_refresh_token() {
        let mut grant = grant();
        let hour = Duration::from_secs(3_600);
        grant.add_access(token(100), vec![Scope::MailSend], NOW, hour);
        grant.exchange(token(1), Some(token(2)), NOW);
        grant.add_access(token(200), vec![Scope::MailSend], NOW, hour);
        assert!(!grant.note_use(token(100)), "it came with the previous one");
        assert_eq!(grant.judge(token(1), Rotation::Lenient), Presented::Good);
        assert!(grant.note_use(token(200)));
        assert!(!grant.note_use(token(200)), "once is enough");
        assert_eq!(grant.judge(token(1), Rotation::Lenient), Presented::Spent);
    }

    #[test]
    fn where_rotation_is_strict_an_exchanged_token_is_spent_at_once() {
        let mut grant = grant();
        assert_eq!(after(&mut grant, 1, 2, Rotation::Strict), [Presented::Spent, Presented::Good]);
    }

    #[test]
    fn access_ends_at_its_time_or_when_it_is_told_to() {
        let mut grant = grant();
        grant.add_access(token(5), vec![Scope::MailSend], NOW, Duration::from_secs(60));
        assert!(grant.find_access(token(5), NOW + Duration::from_secs(59)).is_some());
        assert!(grant.find_access(token(5), NOW + Duration::from_secs(60)).is_none());
        grant.expire_access();
        assert!(grant.find_access(token(5), NOW).is_none());
    }

    #[test]
    fn a_grant_is_read_as_it_was_written_and_does_not_grow_for_ever() {
        let mut grant = grant();
        for n in 1..200 {
            grant.exchange(token(n), Some(token(n + 1)), NOW);
            grant.add_access(token(1_000 + n), vec![Scope::MailSend], NOW, Duration::from_secs(60));
        }
        assert!(grant.digests().count() <= 2 + SPENT_AT_MOST + ACCESS_AT_MOST);
        let read = from_json(grant.id, &to_json(&grant)).unwrap();
        assert_eq!(to_json(&read), to_json(&grant));
        assert!(from_json(grant.id, b"{}").is_none());
        assert_eq!("00000000000000ff".parse(), Ok(GrantId(255)));
        for text in ["ff", "00000000000000FF", "+0000000000000ff", "../../etc/passwd"] {
            assert_eq!(text.parse::<GrantId>(), Err(()), "{text}");
        }
    }
}
