//! Whose mailbox somebody has signed in to (OC-4).

use gatepost_core::SecretText;
use gatepost_providers::{
    Application, Granted, Identity, IdentityCheck, OAuthClient, OAuthFailure, OAuthService,
};

use super::details::Details;

/// Who signed in.
pub(super) enum Mailbox {
    /// The one that was expected; with issuer and subject where the service named them.
    Expected(Option<(String, String)>),
    /// Somebody else.
    Other(Identity),
}

/// Asks the ID token, else the service. Where neither names an address, signing in at the servers as that mailbox decides.
///
/// `known`: who had granted it before. A subject names the same account for good, whatever its address becomes.
pub(super) async fn whose_mailbox(
    oauth: &OAuthClient,
    (service, application): (&OAuthService, &Application),
    (granted, state): (&Granted, &SecretText),
    details: &Details,
    known: Option<&(String, String)>,
) -> Result<Mailbox, OAuthFailure> {
    let check = IdentityCheck { service, application, state: Some(state) };
    let by_token = oauth.identity(granted, check)?;
    let identity = match by_token {
        Some(it) if it.address.is_some() || known.is_some_and(|known| is_of(&it, known)) => Some(it),
        // OpenID Connect Core §5.4: where there is an access token, the address may be told by the service alone.
        by_token => {
            let by_service = oauth.userinfo(service, application, &granted.access_token).await?;
            together(by_token, by_service)
        }
    };
    let Some(it) = identity else { return Ok(Mailbox::Expected(None)) };
    Ok(judge(it, details, known))
}

/// Who signed in, by the ID token, with the address that the service tells of the same person.
fn together(by_token: Option<Identity>, by_service: Option<Identity>) -> Option<Identity> {
    let Some(it) = by_token else { return by_service };
    // OpenID Connect Core §5.3.2: what is said of another subject must not be used.
    let said = by_service.filter(|said| said.subject == it.subject);
    let (address, is_address_verified) =
        said.map_or((None, false), |said| (said.address, said.is_address_verified));
    Some(Identity { address, is_address_verified, ..it })
}

fn is_of(it: &Identity, (issuer, subject): &(String, String)) -> bool {
    it.issuer == *issuer && it.subject == *subject
}

fn judge(it: Identity, details: &Details, known: Option<&(String, String)>) -> Mailbox {
    let is = |subject: &(String, String)| is_of(&it, subject);
    let is_known = known.is_some_and(is);
    let is_accepted = details.same_as.as_ref().is_some_and(is);
    // Another account with the address of the one before: the address was given to somebody else, or the account was made anew.
    let is_replaced = known.is_some_and(|known| known.0 == it.issuer && known.1 != it.subject);
    let expected = details.expected();
    let is_named = it.address.as_ref().is_none_or(|it| it.is_same_mailbox(&expected));
    if is_known || is_accepted || (is_named && !is_replaced) {
        Mailbox::Expected(Some((it.issuer, it.subject)))
    } else {
        Mailbox::Other(it)
    }
}

#[cfg(test)]
mod tests {
    use gatepost_core::EmailAddress;

    use super::*;
    use crate::account::Serves;

    fn identity(subject: &str, address: Option<&str>) -> Identity {
        let address = address.map(|it| it.parse::<EmailAddress>().unwrap());
        Identity { issuer: "issuer".into(), subject: subject.into(), address, is_address_verified: true }
    }

    fn details(user_name: &str, same_as: Option<&str>) -> Details {
        Details {
            address: "reception@example.org".parse().unwrap(),
            provider: "custom".into(),
            found_at: None,
            method: None,
            user_name: user_name.into(),
            opens: None,
            endpoints: None,
            short_name: "Reception".into(),
            author_name: String::new(),
            author_address: None,
            serves: Serves::Organisation,
            is_default: false,
            same_as: same_as.map(|it| ("issuer".into(), it.into())),
        }
    }

    #[test]
    fn the_expected_mailbox_is_told_from_others() {
        for (subject, address, user_name, same_as, known, is_expected) in [
            ("7", Some("reception@example.org"), "reception@example.org", None, None, true),
            ("7", Some("Reception@Example.ORG"), "reception@example.org", None, None, true),
            ("7", Some("dr.ana@example.org"), "reception@example.org", None, None, false),
            // A shared mailbox: the one that signs in is compared.
            ("7", Some("dr.ana@example.org"), "dr.ana@example.org", None, None, true),
            // A user name that is no address says nothing; the mailbox's address does.
            ("7", Some("reception@example.org"), "reception", None, None, true),
            // An alias, accepted for one subject alone.
            ("7", Some("office@example.org"), "reception@example.org", Some("7"), None, true),
            ("8", Some("office@example.org"), "reception@example.org", Some("7"), None, false),
            // The same account under a new address, and another account under the old one.
            ("7", Some("office@example.org"), "reception@example.org", None, Some("7"), true),
            ("8", Some("reception@example.org"), "reception@example.org", None, Some("7"), false),
            ("8", Some("reception@example.org"), "reception@example.org", Some("8"), Some("7"), true),
            // No address: signing in at the servers decides.
            ("7", None, "reception@example.org", None, None, true),
            ("8", None, "reception@example.org", None, Some("7"), false),
        ] {
            let known = known.map(|it| ("issuer".to_owned(), it.to_owned()));
            let judged = judge(identity(subject, address), &details(user_name, same_as), known.as_ref());
            let expected = matches!(judged, Mailbox::Expected(_));
            assert_eq!(expected, is_expected, "{subject} {address:?} {user_name} {same_as:?} {known:?}");
        }
    }

    /// A subject is a service's own name for somebody: another service gives the same one to somebody else.
    #[test]
    fn whoever_another_service_names_is_somebody_else() {
        let (here, elsewhere) = (("issuer", "7"), ("elsewhere", "7"));
        let owned = |it: (&str, &str)| (it.0.to_owned(), it.1.to_owned());
        for (address, same_as, known, is_expected) in [
            (Some("office@example.org"), None, Some(here), true),
            (Some("office@example.org"), None, Some(elsewhere), false),
            (Some("office@example.org"), Some(here), None, true),
            (Some("office@example.org"), Some(elsewhere), None, false),
            // Once signed in to by another service, the address decides again.
            (Some("reception@example.org"), None, Some(("elsewhere", "8")), true),
            (Some("reception@example.org"), None, Some(("issuer", "8")), false),
        ] {
            let details = Details { same_as: same_as.map(owned), ..details("reception@example.org", None) };
            let judged = judge(identity("7", address), &details, known.map(owned).as_ref());
            let expected = matches!(judged, Mailbox::Expected(_));
            assert_eq!(expected, is_expected, "{address:?} {same_as:?} {known:?}");
        }
    }

    #[test]
    fn the_service_adds_an_address_to_its_token_and_to_nobody_elses() {
        let office = "office@example.org";
        for (by_token, by_service, want) in [
            (None, None, None),
            (None, Some(("7", Some(office))), Some(("7", Some(office)))),
            (Some("7"), None, Some(("7", None))),
            (Some("7"), Some(("7", Some(office))), Some(("7", Some(office)))),
            (Some("7"), Some(("7", None)), Some(("7", None))),
            (Some("7"), Some(("8", Some(office))), Some(("7", None))),
        ] {
            let of_service = by_service.map(|(subject, address)| Identity {
                issuer: "the service's own".into(),
                ..identity(subject, address)
            });
            let found = together(by_token.map(|subject| identity(subject, None)), of_service);
            let found =
                found.as_ref().map(|it| (it.subject.as_str(), it.address.as_ref().map(ToString::to_string)));
            let want = want.map(|(subject, address)| (subject, address.map(str::to_owned)));
            assert_eq!(found, want, "{by_token:?} {by_service:?}");
        }
    }
}
