//! Proofs that were shown a moment ago: the second of two clicks goes on as the first did.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use gatepost_identity::{NewSession, PersonRefusal, Proof, SecondStep, Session, Token, Visitor};
use gatepost_store::StoreError;
use tokio::time::Instant;

use super::App;

/// How long the second click may take.
const WITHIN: Duration = Duration::from_secs(30);

/// Proofs that are remembered; the oldest gives way.
const MOST: usize = 4_096;

/// What a session's cookie and a proof are known by. Neither of them is kept.
type Key = [u64; 2];

/// The token that the session went on under, once the proof was right. Locked while somebody looks at it.
type Place = Arc<tokio::sync::Mutex<Option<Token>>>;

/// In this node's memory alone: on another node the second click is told that the code was used.
#[derive(Default)]
pub(crate) struct Proofs {
    hashers: [RandomState; 2],
    lately: Mutex<HashMap<Key, (Instant, Place)>>,
}

impl Proofs {
    fn key(&self, token: &Token, proof: &Proof) -> Key {
        let (word, secret) = match proof {
            Proof::Password(it) => ("password", it),
            Proof::SecondStep(SecondStep::Code(it)) => ("code", it),
            Proof::SecondStep(SecondStep::RecoveryCode(it)) => ("recovery code", it),
        };
        self.hashers.each_ref().map(|it| it.hash_one((token.reveal(), word, secret.reveal())))
    }

    /// Where the same proof by the same cookie meets.
    fn place(&self, key: Key) -> Place {
        let now = Instant::now();
        let mut lately = self.lately.lock().unwrap_or_else(PoisonError::into_inner);
        lately.retain(|_, (until, _)| *until > now);
        if lately.len() >= MOST && !lately.contains_key(&key) {
            let oldest = lately.iter().min_by_key(|(_, (until, _))| *until).map(|(it, _)| *it);
            oldest.and_then(|it| lately.remove(&it));
        }
        Arc::clone(&lately.entry(key).or_insert_with(|| (now + WITHIN, Place::default())).1)
    }

    fn find(&self, key: Key) -> Option<Place> {
        let lately = self.lately.lock().unwrap_or_else(PoisonError::into_inner);
        lately.get(&key).filter(|(until, _)| *until > Instant::now()).map(|(_, place)| Arc::clone(place))
    }
}

/// Shows a proof of the session with this cookie. Two that are alike are one.
pub(super) async fn confirm(
    app: &App,
    token: &Token,
    session: &Session,
    proof: Proof,
    visitor: &Visitor,
) -> Result<NewSession, PersonRefusal> {
    let place = app.proofs.place(app.proofs.key(token, &proof));
    let (app, session, visitor) = (App::clone(app), session.clone(), visitor.clone());
    // At the second click a browser hangs up on the first: what that one has begun is carried out all the same.
    let confirming = tokio::spawn(async move {
        let mut gone_on = place.lock_owned().await;
        if let Some(token) = &*gone_on {
            return living(&app, token).await?.ok_or(PersonRefusal::Over);
        }
        let new = app.rooms.people.confirm(&session, &proof, &visitor).await?;
        *gone_on = Some(new.token.clone());
        Ok(new)
    });
    confirming.await.unwrap_or(Err(PersonRefusal::Unavailable(StoreError::Stopped)))
}

/// What a session that is over went on as, for whoever brings its cookie and the very proof that was right.
pub(super) async fn gone_on(
    app: &App,
    token: &Token,
    proof: &Proof,
) -> Result<Option<NewSession>, StoreError> {
    let Some(place) = app.proofs.find(app.proofs.key(token, proof)) else { return Ok(None) };
    let gone_on = place.lock().await.clone();
    match gone_on {
        Some(token) => living(app, &token).await,
        None => Ok(None),
    }
}

async fn living(app: &App, token: &Token) -> Result<Option<NewSession>, StoreError> {
    let found = app.rooms.people.find_session(token, true).await?;
    Ok(found.map(|session| NewSession { token: token.clone(), session, device: None }))
}

#[cfg(test)]
mod tests {
    use gatepost_core::SecretText;

    use super::*;

    fn code(text: &str) -> Proof {
        Proof::SecondStep(SecondStep::Code(SecretText::new(text.into())))
    }

    #[tokio::test(start_paused = true)]
    async fn the_same_proof_by_the_same_cookie_meets_for_half_a_minute() {
        let (proofs, world) = (Proofs::default(), gatepost_testkit::world().0);
        let [mine, other, new] = [(); 3].map(|()| Token::generate(&world));
        let of = |token: &Token, proof: &Proof| proofs.key(token, proof);
        proofs.place(of(&mine, &code("123456"))).lock().await.replace(new);
        assert!(proofs.find(of(&mine, &code("123456"))).is_some());
        let recovery = Proof::SecondStep(SecondStep::RecoveryCode(SecretText::new("123456".into())));
        for (token, proof) in [(&other, code("123456")), (&mine, code("123457")), (&mine, recovery)] {
            assert!(proofs.find(of(token, &proof)).is_none());
        }
        tokio::time::advance(WITHIN).await;
        assert!(proofs.find(of(&mine, &code("123456"))).is_none());
        assert!(proofs.place(of(&mine, &code("123456"))).lock().await.is_none(), "it begins anew");
    }

    #[tokio::test]
    async fn few_are_remembered() {
        let proofs = Proofs::default();
        for n in 0..MOST as u64 + 10 {
            proofs.place([n, n]);
        }
        assert_eq!(proofs.lately.lock().unwrap().len(), MOST);
    }
}
