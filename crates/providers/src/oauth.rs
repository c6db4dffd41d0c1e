//! The OAuth client: signing in at a provider's own page, and what follows from it. It keeps nothing; whoever calls keeps state,
//! verifier and tokens.
//!
//! The `oauth2` crate builds the requests, [`carrier`] brings them there under the address guard, and every answer is judged
//! here before anything is read from it: what refuses becomes an [`OAuthRefusal`] without any secret in it (OC-8), and what
//! says nothing about the grant an [`OAuthTrouble`] (OC-7).

mod begin;
mod callback;
mod carrier;
mod failure;
mod identity;
mod redirect;
mod scrub;
#[cfg(test)]
mod tests;
mod token;

use gatepost_core::{SecretText, World};
use gatepost_net::{ClientTls, Dialer};

pub use begin::{Begun, SignIn};
pub use callback::{Callback, CallbackFault, Flow};
pub use failure::{OAuthFailure, OAuthRefusal};
pub use identity::{Identity, IdentityCheck};
pub use redirect::{RedirectTo, takes_redirects};
pub use token::{Exchange, Granted, Lacking};

use crate::OAuthService;
use carrier::Carrier;

/// An application as it was registered at a service.
#[derive(Clone)]
pub struct Application {
    /// Its id there. Not a secret.
    pub client_id: String,
    /// Its secret, unless it is one that can keep none.
    pub secret: Option<SecretText>,
    /// The tenant to ask, at services that have them: the application's own, else the preset's.
    pub tenant: Option<String>,
}

/// Asks OAuth services. Cheap to clone.
#[derive(Clone)]
pub struct OAuthClient {
    carrier: Carrier,
    world: World,
}

impl OAuthClient {
    /// A client that dials and verifies as all connections to providers do.
    #[must_use]
    pub fn new(dialer: Dialer, tls: ClientTls, world: World) -> Self {
        Self { carrier: Carrier::new(dialer, tls), world }
    }
}

/// The value of `nonce` that belongs to a state: made from it, so that nothing more has to be kept.
fn nonce_of(state: &SecretText) -> String {
    // RFC 7636 §4.1 bounds what is hashed here: from 43 to 128 characters, which our own states always give.
    let text: String =
        format!("nonce for the state {}", state.reveal()).chars().filter(char::is_ascii).collect();
    let text = format!("{text:-<43.128}");
    let digest = oauth2::PkceCodeChallenge::from_code_verifier_sha256(&oauth2::PkceCodeVerifier::new(text));
    digest.as_str().to_owned()
}

/// Whether an issuer is one of the service's. `{tid}` in a template stands for the id of a tenant; if it is known which, for
/// that one.
fn is_issuer_of(service: &OAuthService, issuer: &str, tenant: Option<&str>) -> bool {
    service.issuers.iter().any(|template| match template.split_once("{tid}") {
        None => template == issuer,
        Some((before, after)) => {
            let id = issuer.strip_prefix(before).and_then(|rest| rest.strip_suffix(after));
            let wanted = tenant.filter(|it| is_tenant_id(it));
            id.is_some_and(|id| is_tenant_id(id) && wanted.is_none_or(|it| it.eq_ignore_ascii_case(id)))
        }
    })
}

/// Eight, four, four, four and twelve hexadecimal digits. Other tenants are names or words such as `common`.
fn is_tenant_id(text: &str) -> bool {
    let groups: Vec<&str> = text.split('-').collect();
    let is_hex = |it: &str| it.bytes().all(|byte| byte.is_ascii_hexdigit());
    groups.iter().map(|it| it.len()).eq([8, 4, 4, 4, 12]) && groups.iter().all(|it| is_hex(it))
}
