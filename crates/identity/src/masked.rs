//! User names in logs.

use gatepost_core::{EmailAddress, printable};

/// Enough of an address to recognise it by. Anything else may be a password in the wrong field, and is not shown.
#[must_use]
pub fn masked(user_name: &str) -> String {
    let address = user_name.trim().parse::<EmailAddress>().ok();
    let first = address.as_ref().and_then(|it| it.local_part().chars().next());
    match (address, first) {
        (Some(address), Some(first)) => {
            printable(format!("{first}…@{}", address.domain()).as_bytes()).to_string()
        }
        _ => "…".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_name_is_shown_as_far_as_it_must_be() {
        for (user_name, shown) in [
            ("reception@example.test", "r…@example.test"),
            (" Reception@Example.test ", "R…@example.test"),
            ("abcd efgh ijkl mnop", "…"),
            ("front-desk", "…"),
            ("", "…"),
        ] {
            assert_eq!(masked(user_name), shown, "{user_name:?}");
        }
    }
}
