//! Who signs in, and with what: the same for every protocol.

use gatepost_core::SecretText;
use gatepost_wire::sasl::{ClientExchange, Credentials, Mechanism, Secret};

use crate::endpoint::Endpoint;

/// Who signs in, and with what.
pub struct SignIn {
    /// The account's user name at the provider.
    pub user_name: String,
    /// What proves it.
    pub credential: Credential,
}

/// What proves who somebody is.
pub enum Credential {
    /// A password or the provider's app password.
    Password(SecretText),
    /// An access token.
    Bearer(SecretText),
}

impl SignIn {
    /// The exchange with the best mechanism that `offers` knows.
    pub(crate) fn exchange(
        &self,
        endpoint: &Endpoint,
        offers: impl Fn(Mechanism) -> bool,
    ) -> Option<(Mechanism, ClientExchange)> {
        let mechanism = self.credential.mechanisms().into_iter().find(|it| offers(*it))?;
        let credentials = Credentials {
            authorization_id: None,
            user_name: self.user_name.clone(),
            secret: self.credential.secret(),
        };
        let host = endpoint.host.to_string();
        Some((mechanism, ClientExchange::new(mechanism, credentials, &host, endpoint.port)))
    }

    /// The password, where there is one: for sign-in without SASL.
    pub(crate) const fn password(&self) -> Option<&SecretText> {
        match &self.credential {
            Credential::Password(text) => Some(text),
            Credential::Bearer(_) => None,
        }
    }
}

impl Credential {
    /// The mechanisms that carry it, best first. PLAIN before LOGIN, which is older, takes longer and is no standard;
    /// XOAUTH2 before OAUTHBEARER, because every provider with tokens has documented it and some know nothing else.
    const fn mechanisms(&self) -> [Mechanism; 2] {
        match self {
            Self::Password(_) => [Mechanism::Plain, Mechanism::Login],
            Self::Bearer(_) => [Mechanism::XOAuth2, Mechanism::OAuthBearer],
        }
    }

    fn secret(&self) -> Secret {
        match self {
            Self::Password(text) => Secret::Password(text.clone()),
            Self::Bearer(text) => Secret::BearerToken(text.clone()),
        }
    }
}
