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
    /// What this provider takes best, best first. What it does not name comes behind, in our own order.
    pub preferred: Vec<Mechanism>,
}

/// What proves who somebody is.
pub enum Credential {
    /// A password or the provider's app password.
    Password(SecretText),
    /// An access token.
    Bearer(SecretText),
}

impl SignIn {
    /// To a provider of which nothing is known.
    #[must_use]
    pub const fn new(user_name: String, credential: Credential) -> Self {
        Self { user_name, credential, preferred: Vec::new() }
    }

    /// The mechanism that is used where a server offers these: the first of the preferred ones that carries this kind of
    /// credential, else the first of all that do.
    fn mechanism(&self, offers: impl Fn(Mechanism) -> bool) -> Option<Mechanism> {
        let carry = self.credential.mechanisms();
        let preferred = self.preferred.iter().copied().filter(|it| carry.contains(it));
        preferred.chain(carry).find(|it| offers(*it))
    }

    /// The exchange with the best mechanism that `offers` knows.
    pub(crate) fn exchange(
        &self,
        endpoint: &Endpoint,
        offers: impl Fn(Mechanism) -> bool,
    ) -> Option<(Mechanism, ClientExchange)> {
        let mechanism = self.mechanism(offers)?;
        let credentials = Credentials {
            authorization_id: None,
            user_name: self.user_name.clone(),
            secret: self.credential.secret(),
        };
        let host = endpoint.host.to_string();
        Some((mechanism, ClientExchange::new(mechanism, credentials, &host, endpoint.port)))
    }

    /// What the server is told in confidence.
    pub(crate) const fn secret(&self) -> &SecretText {
        match &self.credential {
            Credential::Password(text) | Credential::Bearer(text) => text,
        }
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

#[cfg(test)]
mod tests {
    use super::Mechanism::{Login, OAuthBearer, Plain, XOAuth2};
    use super::*;

    #[test]
    fn what_a_provider_prefers_is_taken_of_what_its_server_offers() {
        let secret = || SecretText::new("secret".into());
        let password = || Credential::Password(secret());
        let token = || Credential::Bearer(secret());
        type Case<'a> = (Credential, &'a [Mechanism], &'a [Mechanism], Option<Mechanism>);
        let cases: [Case<'_>; 11] = [
            (password(), &[], &[Login, Plain], Some(Plain)),
            (password(), &[Login, Plain], &[Plain, Login], Some(Login)),
            (password(), &[Login, Plain], &[Plain, XOAuth2], Some(Plain)),
            (password(), &[XOAuth2, Login], &[Plain, Login, XOAuth2], Some(Login)),
            // Nothing of what it prefers carries a password, or is offered: better another way than none.
            (password(), &[XOAuth2], &[Plain, XOAuth2], Some(Plain)),
            (password(), &[Plain], &[XOAuth2, OAuthBearer], None),
            (token(), &[], &[OAuthBearer, XOAuth2], Some(XOAuth2)),
            (token(), &[OAuthBearer, XOAuth2, Plain], &[XOAuth2, OAuthBearer], Some(OAuthBearer)),
            (token(), &[OAuthBearer, XOAuth2], &[XOAuth2, Plain], Some(XOAuth2)),
            (token(), &[Plain, Login], &[Plain, OAuthBearer], Some(OAuthBearer)),
            (token(), &[XOAuth2], &[Plain, Login], None),
        ];
        for (n, (credential, preferred, offered, want)) in cases.into_iter().enumerate() {
            let it = SignIn { preferred: preferred.to_vec(), ..SignIn::new("reception".into(), credential) };
            assert_eq!(it.mechanism(|it| offered.contains(&it)), want, "case {n}");
        }
    }
}
