//! One mail account.

use gatepost_core::printable;
use gatepost_web::Moment;

use super::{Badge, Frame, texts};
use crate::{AccountState, AccountView};

/// What, why, what to do, who, since when.
pub(super) struct AccountCard {
    pub(super) name: String,
    pub(super) address: String,
    pub(super) provider: String,
    pub(super) badge: Badge,
    pub(super) since: Option<Moment>,
    pub(super) trouble: Option<TroubleCard>,
    pub(super) waiting: Option<String>,
}

/// Cause, cure and who, in words; the provider's own below.
pub(super) struct TroubleCard {
    pub(super) cause: String,
    pub(super) cure: String,
    pub(super) who: String,
    pub(super) words: Option<String>,
}

impl AccountCard {
    pub(super) fn new(frame: &Frame<'_>, it: &AccountView) -> Self {
        let is_well = it.state == AccountState::Connected;
        let trouble = it.diagnosis.as_ref().filter(|_| !is_well).map(|diagnosis| TroubleCard {
            cause: diagnosis.cause.clone(),
            cure: diagnosis.cure.clone(),
            who: diagnosis.who.to_string(),
            words: it.provider_words.as_deref().map(visible),
        });
        Self {
            name: it.short_name.clone(),
            address: it.address.to_string(),
            provider: it.provider.clone(),
            badge: it.state.into(),
            since: it.since.map(|at| frame.moment(at)),
            trouble,
            waiting: texts::waiting(it.n_waiting),
        }
    }
}

/// Characters of a provider's reply that are shown.
const WORDS_AT_MOST: usize = 600;

/// A provider's words, line by line, with what cannot be seen escaped.
pub(super) fn visible(words: &[u8]) -> String {
    let lines = words.split(|byte| *byte == b'\n').map(|it| it.strip_suffix(b"\r").unwrap_or(it));
    let text = lines.map(|it| printable(it).to_string()).collect::<Vec<_>>().join("\n");
    let text = text.trim_end();
    match text.char_indices().nth(WORDS_AT_MOST) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}
