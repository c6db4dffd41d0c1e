//! The demo's administrator, made as the portal would make them: by links, codes and recovery codes, with the sandbox's
//! pretend phone for a telephone.
//!
//! Nobody learns their password. Each start prints a link that signs in.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use gatepost_core::SecretText;
use gatepost_identity::{
    AccountProblem, Entrance, LinkKind, NewPerson, Organisation, People, Person, PersonRefusal, Role,
    Session, Token, Visitor,
};
use gatepost_journal::Actor;
use gatepost_sandbox::{SandboxError, give_phone};

use super::ADMINISTRATOR;
use crate::app::App;
use crate::control::Refusal;

/// What people call them.
const NAME: &str = "Demo administrator";

/// The demo's first location.
const LOCATION: &str = "Main Street";

/// Why the demo's administrator could not be made.
#[derive(Debug, thiserror::Error)]
enum AdministratorError {
    #[error("{0}")]
    Account(#[from] AccountProblem),
    #[error("{0}")]
    Person(#[from] PersonRefusal),
    #[error("{0}")]
    Phone(#[from] SandboxError),
    #[error("the sign-in went on to a second step that it should not need")]
    SecondStep,
}

/// Makes what is missing: the person, their password, two-step verification, the organisation's name and its location.
pub(super) async fn ensure(
    app: &App,
    people: &People,
    organisation: &Organisation,
    pages: SocketAddr,
) -> Result<Person, Refusal> {
    let person = person(app, organisation).await?;
    if person.two_step_at.is_some() {
        return Ok(person);
    }
    let visitor = Visitor { source: IpAddr::V4(Ipv4Addr::LOCALHOST), device: "Gatepost demo".to_owned() };
    let session = sign_in(app, people, &person, &visitor).await?;
    turn_two_step_on(people, &session, pages, &visitor).await.map_err(|error| failed(&error))?;
    let refuse = |error| app.refuse::<gatepost_identity::IdentityError>(error);
    app.identity
        .set_organisation_up(organisation.id, &organisation.name, Actor::Command)
        .await
        .map_err(refuse)?;
    if app.identity.find_location(organisation.id, LOCATION).await.map_err(refuse)?.is_none() {
        app.identity.add_location(organisation.id, LOCATION, Actor::Command).await.map_err(refuse)?;
    }
    Ok(person)
}

/// A link that signs in, once; none where somebody has disabled the demo's administrator.
pub(super) async fn sign_in_link(app: &App, person: &Person) -> Result<Option<String>, Refusal> {
    if person.disabled_at.is_some() {
        return Ok(None);
    }
    app.hand_link(person, LinkKind::SignIn).await.map(|it| Some(it.link))
}

async fn person(app: &App, organisation: &Organisation) -> Result<Person, Refusal> {
    let refuse = |error| app.refuse::<gatepost_identity::IdentityError>(error);
    let address = ADMINISTRATOR.parse().expect("this is an address");
    let found = app.identity.find_person(organisation.id, &address).await.map_err(refuse)?;
    match found {
        Some(person) if person.has_password || person.name == NAME => Ok(person),
        // As `init` has made them.
        Some(person) => app
            .identity
            .edit_person(organisation.id, person.id, NAME, person.home_location, Actor::Command)
            .await
            .map_err(refuse),
        None => {
            let new = NewPerson {
                organisation: organisation.id,
                address,
                name: NAME.to_owned(),
                role: Role::Administrator,
                home_location: None,
            };
            app.identity.add_person(new, Actor::Command).await.map_err(refuse)
        }
    }
}

/// With a password that nobody will know. One that was cut off before its second step has a password already.
async fn sign_in(app: &App, people: &People, person: &Person, visitor: &Visitor) -> Result<Session, Refusal> {
    let kind = if person.has_password { LinkKind::SignIn } else { LinkKind::SetUp };
    let handed = app.identity.hand_link(person.organisation, person.id, kind, Actor::Command).await;
    let token = handed.map_err(|error| app.refuse(error))?.token;
    let entered = async {
        if person.has_password {
            return Ok(people.sign_in_by_link(&token, visitor).await?.session);
        }
        let password = SecretText::new(Token::generate(&app.world).reveal().to_owned());
        match people.choose_password(&token, &password, None, false, visitor).await? {
            Entrance::SignedIn(new) => Ok(new.session),
            Entrance::SecondStep { .. } => Err(AdministratorError::SecondStep),
        }
    };
    entered.await.map_err(|error| failed(&error))
}

async fn turn_two_step_on(
    people: &People,
    session: &Session,
    pages: SocketAddr,
    visitor: &Visitor,
) -> Result<(), AdministratorError> {
    let enrolment = people.begin_authenticator(session).await?;
    let code = give_phone(pages, &enrolment.uri).await?;
    people.prove_authenticator(session, enrolment.id, &code, visitor).await?;
    let codes = people.new_recovery_codes(session).await?;
    let first = codes.0.first().cloned().unwrap_or_else(|| SecretText::new(String::new()));
    let session = people.confirm_recovery_codes(session, &first, visitor).await?.session;
    // Whoever opens the link begins anew.
    people.sign_out(&session).await.map_err(PersonRefusal::from)?;
    Ok(())
}

fn failed(error: &AdministratorError) -> Refusal {
    Refusal::new(format!(
        "the demo's administrator cannot be made: {error}. Remove the demo's folder and start again"
    ))
}
