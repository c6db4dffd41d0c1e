//! Which account a letter leaves by is not this room's to know.

use gatepost_delivery::Choice;
use gatepost_identity::SignedIn;

/// Why nobody could say which account; for the log alone. The client is told to try again (AP-11).
pub type ChooseError = Box<dyn std::error::Error + Send + Sync>;

/// Chooses the mail account of a login: asked once at each MAIL, and never before the client has signed in (AP-9).
pub trait ChooseAccount: Send + Sync + 'static {
    /// The account and the addresses it may send as. That nothing serves this login is a choice too: the letter is then
    /// accepted and held, with the login's own addresses to send as, or refused where it has none.
    fn choose(&self, who: &SignedIn) -> impl Future<Output = Result<Choice, ChooseError>> + Send;
}
