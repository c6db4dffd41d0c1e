//! Forms that were sent after their session had ended. They come again once the same person has signed in.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use gatepost_core::PersonId;
use tokio::time::Instant;

use super::RawForm;

/// How long one waits: long enough to find the telephone for the second step.
const WAITS: Duration = Duration::from_mins(15);

/// Browsers for which one waits; the oldest gives way.
const MOST: usize = 256;

/// Forms without their secrets, in this node's memory alone, by the visitor cookie of their browser.
#[derive(Default)]
pub(crate) struct KeptForms {
    waiting: Mutex<HashMap<String, Kept>>,
}

struct Kept {
    until: Instant,
    /// Whose session it was. Nobody else sees what they typed.
    person: PersonId,
    path: String,
    form: RawForm,
}

/// What waits for whoever asks for a page now.
pub(crate) enum Waiting {
    /// Nothing, or nothing for this page.
    Nothing,
    /// What they typed on it.
    Theirs(RawForm),
    /// Somebody else's. It is gone now.
    Dropped,
}

impl KeptForms {
    pub(crate) fn keep(&self, visitor: &str, person: PersonId, path: &str, form: RawForm) {
        let now = Instant::now();
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.retain(|_, it| it.until > now);
        if waiting.len() >= MOST
            && let Some(oldest) = waiting.iter().min_by_key(|(_, it)| it.until).map(|(id, _)| id.clone())
        {
            waiting.remove(&oldest);
        }
        let kept = Kept { until: now + WAITS, person, path: path.to_owned(), form };
        waiting.insert(visitor.to_owned(), kept);
    }

    /// For a page that `person` asks for.
    pub(crate) fn take(&self, visitor: &str, person: PersonId, path: &str) -> Waiting {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(found) = waiting.get(visitor) else { return Waiting::Nothing };
        let is_over = found.until <= Instant::now();
        if !is_over && found.person == person && found.path != path {
            return Waiting::Nothing;
        }
        match waiting.remove(visitor) {
            Some(it) if !is_over && it.person == person => Waiting::Theirs(it.form),
            Some(_) if !is_over => Waiting::Dropped,
            _ => Waiting::Nothing,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form() -> RawForm {
        RawForm::parse(b"name=TDO").unwrap()
    }

    fn people() -> [PersonId; 2] {
        let world = gatepost_testkit::world().0;
        [PersonId::new(&world), PersonId::from_uuid(gatepost_core::LARGEST_ID)]
    }

    #[tokio::test]
    async fn a_form_waits_for_its_own_person_and_page_and_comes_once() {
        let (kept, [anna, bert]) = (KeptForms::default(), people());
        kept.keep("v", anna, "/people/new", form());
        assert!(matches!(kept.take("w", anna, "/people/new"), Waiting::Nothing));
        assert!(matches!(kept.take("v", anna, "/stay"), Waiting::Nothing));
        assert!(matches!(kept.take("v", anna, "/people/new"), Waiting::Theirs(_)));
        assert!(matches!(kept.take("v", anna, "/people/new"), Waiting::Nothing));
        kept.keep("v", anna, "/people/new", form());
        assert!(matches!(kept.take("v", bert, "/"), Waiting::Dropped));
        assert!(matches!(kept.take("v", anna, "/people/new"), Waiting::Nothing), "it is gone");
    }

    #[tokio::test(start_paused = true)]
    async fn it_waits_a_quarter_of_an_hour_and_few_do() {
        let (kept, [anna, bert]) = (KeptForms::default(), people());
        kept.keep("v", anna, "/", form());
        tokio::time::advance(WAITS).await;
        assert!(matches!(kept.take("v", bert, "/"), Waiting::Nothing));
        for n in 0..MOST + 10 {
            kept.keep(&n.to_string(), anna, "/", form());
        }
        assert_eq!(kept.waiting.lock().unwrap().len(), MOST);
    }
}
