//! What identity refuses, in words.

use gatepost_identity::{IdentityError, NameProblem};

use crate::frame::{Page, Problem};

/// The sentence for whoever asked; `Err` where it is not theirs to mend.
pub(super) fn words(page: &Page, name: &str, error: IdentityError) -> Result<String, Problem> {
    let fill = |key: &str| page.t.fill(key, &[("name", name)]);
    match error {
        IdentityError::LastAdministrator(_) => Ok(fill("people.last_administrator")),
        IdentityError::OwnTwoStep(_) => Ok(page.t.of("people.own_two_step").to_owned()),
        IdentityError::PersonDisabled(_) => Ok(fill("people.is_disabled")),
        IdentityError::HasPassword(_) => Ok(fill("people.has_password")),
        error => Err(error.into()),
    }
}

/// Beside the field of a name.
pub(crate) fn name_words(page: &Page, problem: NameProblem) -> String {
    let key = match problem {
        NameProblem::Empty => "people.name_empty",
        NameProblem::TooLong => "people.name_too_long",
        NameProblem::Unprintable => "people.name_unprintable",
    };
    page.t.of(key).to_owned()
}
