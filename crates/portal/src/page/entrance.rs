//! Ways in: signing in, the second step, proof, set-up, invitations, forgotten passwords.

mod confirm;
mod device;
mod enter;
mod forgot;
mod link;
mod second_step;
mod set_up;
mod sign_in;
mod sign_out;
mod stay;
#[cfg(test)]
mod tests;

use crate::frame::Route;

/// The rows of this subject.
pub(crate) fn rows() -> Vec<Route> {
    [
        sign_in::rows(),
        second_step::rows(),
        stay::rows(),
        sign_out::rows(),
        confirm::rows(),
        forgot::rows(),
        link::rows(),
        set_up::rows(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// The address with one more pair in its query.
fn also(path: &str, pair: &str) -> String {
    let sign = if path.contains('?') { '&' } else { '?' };
    format!("{path}{sign}{pair}")
}
