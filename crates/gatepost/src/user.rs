//! Names of the users of this machine, for messages.

use rustix::process::geteuid;

/// Name of the user this process acts as.
pub(crate) fn own_name() -> String {
    name_of(geteuid().as_raw())
}

/// Name of the user with this number; the number itself where `/etc/passwd` does not know it.
pub(crate) fn name_of(id: u32) -> String {
    let users = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    find_name(&users, id).unwrap_or_else(|| format!("number {id}"))
}

fn find_name(users: &str, id: u32) -> Option<String> {
    let mut lines = users.lines().map(|line| line.split(':'));
    lines.find_map(|mut fields| {
        let name = fields.next()?;
        (fields.nth(1)?.parse() == Ok(id)).then(|| name.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_is_found_by_number() {
        let users = "root:x:0:0::/root:/bin/sh\n\nbroken\npostgres:x:104:110::/var/lib:/bin/sh\n";
        assert_eq!(find_name(users, 104), Some("postgres".to_owned()));
        assert_eq!(find_name(users, 110), None, "that is a group");
    }
}
