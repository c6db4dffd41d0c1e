//! User names in logs.

use gatepost_core::EmailAddress;

/// Enough of an address to recognise it by. Anything else may be a password in the wrong field, and is not shown.
#[must_use]
pub fn masked(user_name: &str) -> String {
    user_name.trim().parse::<EmailAddress>().map_or_else(|_| "…".to_owned(), |it| it.masked())
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
