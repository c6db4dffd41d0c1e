//! What is known about mailbox providers: presets (domains, servers, user names, ways to sign in, limits), guides for people,
//! OAuth services and the client that speaks with them, and the catalogue that says what a refusal means, whom it concerns and
//! whether waiting helps.
//!
//! The facts live in `data/`; the code reads, checks and searches them. A new provider or a new refusal is a change of data,
//! with a sample that becomes a test by itself. The configuration may add providers and overrule keys of those that are there;
//! [`Providers`] is the one value that holds the outcome.
//!
//! *Trust note.* This room talks to OAuth services and to nobody else, at addresses that are constants or were configured, under
//! `net`'s guard, and it keeps nothing. Tokens pass through it as secrets. It judges hostile text (providers' replies, SC-12)
//! with linear-time patterns, and repeats none of that text in what it says: every word of a [`Diagnosis`] comes from `data/`.
//!
//! [`Diagnosis`]: gatepost_core::Diagnosis

mod catalogue;
mod error;
mod evidence;
mod guide;
mod key;
mod method;
mod oauth;
mod preset;
mod providers;
mod recognise;
mod service;

pub use catalogue::Catalogue;
pub use error::DataError;
pub use evidence::{Evidence, OAuthTrouble};
pub use gatepost_core::{Phase, TlsMode, Trouble};
pub use guide::{Asked, Copied, Guide, Note, OwnValues, Pasted, Registration, Step, cleaned_secret};
pub use method::{Client, Explained, Method, Methods, Offer};
pub use oauth::{
    Application, Begun, Callback, CallbackFault, Exchange, Flow, Granted, Identity, IdentityCheck, Lacking,
    OAuthClient, OAuthFailure, OAuthRefusal, RedirectTo, SignIn, takes_redirects,
};
pub use preset::{Limits, Preset, Server, UserNameRule, UserNames};
pub use providers::{Mistake, Overrule, Providers, Wrong};
pub use recognise::{How, MailExchangers, Recognised, SuggestedServers};
pub use service::{OAuthService, Uses};
