//! Every `Cargo.toml`: lints of the house, and no second cryptographic library.

use super::{Finding, House};

/// What the rules need to know of one `Cargo.toml`.
pub(super) struct Manifest {
    pub(super) path: String,
    /// Name of the package, line, and whether only tests and examples use it.
    pub(super) dependencies: Vec<(String, usize, bool)>,
}

/// Packages that must never enter the tree: a second cryptographic library, and C that we do not build ourselves.
const BANNED: &[&str] = &["ring", "openssl-sys", "openssl", "native-tls"];

pub(super) fn check(house: &House) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut find = |file: &str, line, text: String| {
        findings.push(Finding { file: file.to_owned(), line, rule: "manifests", text });
    };
    for (path, text) in house.ending("/Cargo.toml") {
        match text.parse::<toml::Table>() {
            Err(error) => find(path, 0, format!("is not TOML: {error}")),
            Ok(table) => {
                let inherits = |it: &toml::Value| it.get("workspace").and_then(toml::Value::as_bool);
                if !table.contains_key("workspace") && table.get("lints").and_then(inherits) != Some(true) {
                    find(
                        path,
                        0,
                        "add `[lints] workspace = true`: every crate keeps the lints of the house".into(),
                    );
                }
            }
        }
    }
    // Cargo.lock also names what no feature turns on, so what is built is asked of cargo itself.
    let built = |name: &&&str| house.built.lines().any(|line| line.split(' ').next() == Some(name));
    for name in BANNED.iter().filter(built) {
        let text = format!(
            "{name} must not be in the tree: see who brings it with `cargo tree --workspace -i {name}`"
        );
        find("Cargo.toml", 0, text);
    }
    findings
}

/// What every crate asks for. `cargo metadata` would tell the same without the lines to point at.
pub(super) fn read(house: &House) -> Vec<Manifest> {
    let root: toml::Table = house.find("Cargo.toml").and_then(|text| text.parse().ok()).unwrap_or_default();
    let shared = root.get("workspace").and_then(|it| it.get("dependencies"));
    house.ending("/Cargo.toml").map(|(path, text)| read_one(path, text, shared)).collect()
}

fn read_one(path: &str, text: &str, shared: Option<&toml::Value>) -> Manifest {
    let table: toml::Table = text.parse().unwrap_or_default(); // A finding of its own, see `check`.
    let mut dependencies = Vec::new();
    let targets = table.get("target").and_then(toml::Value::as_table);
    let scopes =
        std::iter::once(&table).chain(targets.into_iter().flatten().filter_map(|(_, it)| it.as_table()));
    for scope in scopes {
        for section in ["dependencies", "build-dependencies", "dev-dependencies"] {
            for (name, value) in scope.get(section).and_then(toml::Value::as_table).into_iter().flatten() {
                let renamed =
                    |it: &'_ toml::Value| it.get("package").and_then(toml::Value::as_str).map(str::to_owned);
                let inherited = || shared?.get(name).and_then(renamed);
                let package = renamed(value).or_else(inherited).unwrap_or_else(|| name.clone());
                let line = text.lines().position(|line| names(line, name)).map_or(0, |at| at + 1);
                dependencies.push((package, line, section == "dev-dependencies"));
            }
        }
    }
    Manifest { path: path.to_owned(), dependencies }
}

fn names(line: &str, dependency: &str) -> bool {
    line.strip_prefix(dependency).is_some_and(|rest| rest.starts_with([' ', '.', '=']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crate_without_the_lints_of_the_house_is_found() {
        let found = |text| check(&House::of(&[("crates/x/Cargo.toml", text)])).len();
        assert_eq!(found("[lints]\nworkspace = true\n"), 0);
        assert_eq!(found("[package]\n"), 1);
        assert_eq!(found("[lints.rust]\nunsafe_code = \"allow\"\n"), 1);
    }

    #[test]
    fn a_second_cryptographic_library_is_found() {
        let found = |built: &str| {
            let mut house = House::default();
            house.built = built.to_owned();
            check(&house).len()
        };
        assert_eq!(found("rustls v0.23.46\nring v0.17.14 (*)\n"), 1);
        assert_eq!(found("rustls v0.23.46\nringbuffer v0.1.0\n"), 0);
    }

    #[test]
    fn dependencies_are_read_from_every_section() {
        let text = "[dependencies]\na.workspace = true\nb = { package = \"c\", version = \"1\" }\n\
                    [dev-dependencies]\nd = \"1\"\n[target.'cfg(unix)'.dependencies]\ne = \"1\"\n";
        let found = read_one("x", text, None).dependencies;
        let shared: toml::Value = toml::from_str("f = { package = \"rusqlite\", version = \"1\" }").unwrap();
        let renamed = read_one("x", "[dependencies]\nf.workspace = true\n", Some(&shared)).dependencies;
        assert_eq!(renamed, [("rusqlite".to_owned(), 2, false)]);
        let want = [("a", 2, false), ("c", 3, false), ("d", 5, true), ("e", 7, false)];
        assert_eq!(found, want.map(|(name, line, tests)| (name.to_owned(), line, tests)));
    }
}
