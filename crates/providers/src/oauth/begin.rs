//! The address of the page where somebody signs in.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use gatepost_core::{EmailAddress, SecretText};
use oauth2::basic::BasicClient;
use oauth2::{AuthUrl, ClientId, CsrfToken, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, Scope};

use super::{Application, OAuthClient, nonce_of};
use crate::{OAuthService, Uses};

/// What to sign in for.
#[derive(Clone, Copy)]
pub struct SignIn<'a> {
    /// Where.
    pub service: &'a OAuthService,
    /// As which application.
    pub application: &'a Application,
    /// Where the service sends the browser afterwards.
    pub redirect_uri: &'a str,
    /// What the account does.
    pub uses: Uses,
    /// The mailbox that is expected, to have it filled in.
    pub mailbox: Option<&'a EmailAddress>,
    /// The last time something was missing: the page is to ask for everything once more.
    pub again: bool,
}

/// A flow that has begun. All of it but the address is kept until the callback.
pub struct Begun {
    /// Where to send the browser. It holds the state, so it belongs to that browser alone.
    pub url: String,
    /// 256 random bits; finds the flow again, once.
    pub state: SecretText,
    /// Proves at the token URL that who asked is who exchanges (RFC 7636).
    pub verifier: SecretText,
    /// Where the code goes, whatever the callback says (OC-3).
    pub token_url: String,
    /// What was asked for.
    pub scopes: Vec<String>,
}

impl OAuthClient {
    /// Makes the address of the sign-in page. Nothing is sent. Absent if the service needs a tenant and there is none, or the
    /// redirect address is no address.
    #[must_use]
    pub fn begin(&self, asked: SignIn<'_>) -> Option<Begun> {
        let SignIn { service, application, uses, .. } = asked;
        let tenant = application.tenant.as_deref();
        let authorize = AuthUrl::from_url(service.authorize_url(tenant)?);
        let token_url = service.token_url(tenant)?.to_string();
        let client = BasicClient::new(ClientId::new(application.client_id.clone()))
            .set_auth_uri(authorize)
            .set_redirect_uri(RedirectUrl::new(asked.redirect_uri.to_owned()).ok()?);
        let (state, verifier) = (self.random(), self.random());
        // RFC 7636 §4.2: S256; `plain` is never used.
        let pkce = PkceCodeVerifier::new(verifier.reveal().to_owned());
        let challenge = PkceCodeChallenge::from_code_verifier_sha256(&pkce);
        let scopes: Vec<String> = service.asked_scopes(uses).into_iter().map(str::to_owned).collect();
        let csrf = CsrfToken::new(state.reveal().to_owned());
        let mut request = client
            .authorize_url(|| csrf)
            .set_pkce_challenge(challenge)
            .add_scopes(scopes.iter().cloned().map(Scope::new));
        let more = if asked.again { &service.again } else { &service.parameters };
        let own = service.parameters.iter().filter(|(name, _)| !more.contains_key(*name));
        for (name, value) in own.chain(more) {
            request = request.add_extra_param(name, value);
        }
        if scopes.iter().any(|it| it == "openid") {
            request = request.add_extra_param("nonce", nonce_of(&state));
        }
        if let Some(mailbox) = asked.mailbox.filter(|_| service.takes_login_hint) {
            request = request.add_extra_param("login_hint", mailbox.to_string());
        }
        let (url, _) = request.url();
        Some(Begun { url: url.to_string(), state, verifier, token_url, scopes })
    }

    fn random(&self) -> SecretText {
        SecretText::new(URL_SAFE_NO_PAD.encode(self.world.random::<32>()))
    }
}
