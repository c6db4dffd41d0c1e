//! What people read where a proof of theirs was refused. One total function each, so that no refusal is forgotten.

use gatepost_identity::{AccountProblem, PasswordProblem, PersonRefusal};

use super::{Page, Problem};

/// The sentence beside the field; `Err` where it belongs to no field.
pub(crate) fn refusal_words(page: &Page, refusal: PersonRefusal) -> Result<String, Problem> {
    let t = page.t;
    Ok(match refusal {
        PersonRefusal::WrongPassword => t.of("sign_in.wrong").to_owned(),
        PersonRefusal::WrongCode => t.of("code.wrong").to_owned(),
        PersonRefusal::CodeExpired => t.of("code.expired").to_owned(),
        PersonRefusal::CodeUsed => t.of("code.used").to_owned(),
        PersonRefusal::Slowed { retry_after } => {
            let seconds = retry_after.as_secs().max(1);
            if seconds < 90 {
                t.count("code.slowed_seconds", seconds, &[])
            } else {
                t.count("code.slowed_minutes", seconds.div_ceil(60), &[])
            }
        }
        PersonRefusal::MethodDisabled => t.of("code.disabled").to_owned(),
        PersonRefusal::Busy => t.of("code.busy").to_owned(),
        PersonRefusal::Over => return Err(Problem::Over),
        PersonRefusal::Unavailable(error) => return Err(Problem::Unavailable(error)),
    })
}

/// What time it is here.
pub(crate) fn clock(page: &Page) -> String {
    let time = page.moment(page.now).words;
    page.t.fill("code.clock", &[("time", time.as_str())])
}

/// The sentence for a change of one's own account.
pub(crate) fn problem_words(page: &Page, problem: AccountProblem) -> Result<String, Problem> {
    let t = page.t;
    Ok(match problem {
        AccountProblem::Password(PasswordProblem::TooShort { n, least }) => {
            let (n, least) = (n as u64, least.to_string());
            t.count("common.password_too_short", n, &[("least", &least)])
        }
        AccountProblem::Password(PasswordProblem::TooLong) => t.of("common.password_too_long").to_owned(),
        AccountProblem::Password(PasswordProblem::Common) => t.of("common.password_common").to_owned(),
        AccountProblem::Password(PasswordProblem::Name) => t.of("common.password_name").to_owned(),
        AccountProblem::Refused(refusal) => return refusal_words(page, refusal),
        AccountProblem::TwoStepNeeded => t.of("common.two_step_needed").to_owned(),
        AccountProblem::ContactExists => t.of("common.contact_exists").to_owned(),
        AccountProblem::AddressTaken => t.of("common.address_taken").to_owned(),
        AccountProblem::NotAnAddress => t.of("common.not_an_address").to_owned(),
        AccountProblem::NotANumber => t.of("common.not_a_number").to_owned(),
        AccountProblem::TooManyContacts => t.of("common.too_many_contacts").to_owned(),
        AccountProblem::NotProven => t.of("common.not_proven").to_owned(),
        AccountProblem::NotFound => return Err(Problem::NotFound),
    })
}
