//! Which room may know which, and who may know which driver, socket or key.

use super::house::room_of;
use super::source::{Kind, line_at};
use super::{Finding, House, manifests};

/// The rooms from top to bottom, each with the rooms it may depend on. A new edge is a change to this list, and
/// reviewers look at it first.
const ROOMS: &[(&str, &[&str])] = &[
    (
        "gatepost",
        &[
            "portal",
            "sandbox",
            "web",
            "notices",
            "gateway",
            "submission",
            "delivery",
            "accounts",
            "providers",
            "upstream",
            "identity",
            "journal",
            "store",
            "vault",
            "net",
            "wire",
            "core",
        ],
    ),
    (
        "portal",
        &[
            "web",
            "notices",
            "gateway",
            "delivery",
            "accounts",
            "providers",
            "identity",
            "journal",
            "store",
            "net",
            "wire",
            "core",
        ],
    ),
    ("sandbox", &["web", "net", "wire", "core"]),
    ("web", &["net", "core"]),
    ("notices", &["delivery", "accounts", "identity", "journal", "store", "wire", "core"]),
    ("gateway", &["accounts", "identity", "net", "wire", "core"]),
    ("submission", &["delivery", "identity", "store", "net", "wire", "core"]),
    ("delivery", &["accounts", "providers", "upstream", "journal", "store", "vault", "net", "wire", "core"]),
    ("accounts", &["providers", "upstream", "journal", "store", "vault", "net", "wire", "core"]),
    ("providers", &["upstream", "net", "wire", "core"]),
    ("upstream", &["net", "wire", "core"]),
    ("identity", &["journal", "store", "vault", "wire", "core"]),
    ("journal", &["store", "core"]),
    ("store", &["vault", "core"]),
    ("vault", &["core"]),
    ("net", &["wire", "core"]),
    ("wire", &["core"]),
    ("core", &[]),
];

/// For tests and measuring alone: these know what they like, and no room knows them outside its tests.
const BESIDE: &[&str] = &["testkit", "bench"];

/// Libraries that are known in few rooms, with the reason.
const KEPT_TO: &[(&[&str], &[&str], &str)] = &[
    (&["rusqlite", "postgres", "tokio-postgres"], &["store"], "only store knows the database drivers"),
    (
        &["axum", "hyper", "hyper-util", "tower", "tower-http", "askama"],
        &["portal", "api", "sandbox", "web"],
        "only portal, api, sandbox and web know the web framework",
    ),
    (&["aws-lc-rs", "region"], &["vault", "core"], "only vault touches keys, and core draws randomness"),
    (
        &["rustls", "tokio-rustls", "webpki-roots"],
        &["net", "store"],
        "only net knows TLS, and store for its way to PostgreSQL",
    ),
    (&["rcgen", "x509-parser", "hickory-resolver"], &["net"], "only net knows certificates and the resolver"),
    (&["imap-codec"], &["wire"], "only wire knows the grammar of IMAP"),
    (&["oauth2", "reqwest"], &["providers"], "only providers asks OAuth services"),
    (&["clap", "anyhow", "tracing-subscriber"], &["gatepost"], "only the binary has commands and set-up"),
];

/// Calls that open sockets to peers. The binary's own control socket is a file in its data folder.
const OPENING: &[&str] = &[
    "TcpListener::bind",
    "TcpStream::connect",
    "UdpSocket::bind",
    "TcpSocket::new",
    "UnixListener::bind",
    "UnixStream::connect",
    "lookup_host",
    "to_socket_addrs",
];

pub(super) fn check(house: &House) -> Vec<Finding> {
    let mut findings = Vec::new();
    for manifest in manifests::read(house) {
        let Some(room) = room_of(&manifest.path) else { continue };
        if !BESIDE.contains(&room) {
            for (name, line, is_for_tests) in &manifest.dependencies {
                findings.extend(judge(room, name, *is_for_tests).map(|text| Finding {
                    file: manifest.path.clone(),
                    line: *line,
                    rule: "edges",
                    text,
                }));
            }
        }
    }
    findings.extend(opened_sockets(house));
    findings
}

/// What is wrong with `room` depending on the package `name`.
fn judge(room: &str, name: &str, is_for_tests: bool) -> Option<String> {
    let Some(other) = name.strip_prefix("gatepost-") else {
        let (_, rooms, why) = KEPT_TO.iter().find(|(names, ..)| names.contains(&name))?;
        let is_allowed = is_for_tests || rooms.contains(&room);
        return (!is_allowed)
            .then(|| format!("{why}: ask one of {} through its functions", rooms.join(", ")));
    };
    if BESIDE.contains(&other) {
        return (!is_for_tests).then(|| format!("{other} is for tests: move it to [dev-dependencies]"));
    }
    let place = |name: &str| ROOMS.iter().position(|(room, _)| *room == name);
    let (Some(from), Some(to)) = (place(room), place(other)) else {
        let unknown = if place(room).is_none() { room } else { other };
        return Some(format!(
            "{unknown} is no room yet: give it its place in ROOMS in xtask/src/tidy/edges.rs"
        ));
    };
    if to <= from {
        return Some(format!(
            "{room} must not know {other}, which stands above it: turn the dependency round"
        ));
    }
    (!is_for_tests && !ROOMS[from].1.contains(&other)).then(|| {
        format!("{room} does not know {other} so far: if it should, add the edge to ROOMS in xtask/src/tidy/edges.rs")
    })
}

fn opened_sockets(house: &House) -> Vec<Finding> {
    let mut findings = Vec::new();
    for source in house.sources() {
        let Some(room) = room_of(source.path) else { continue };
        if room == "net" || BESIDE.contains(&room) || source.path.starts_with("crates/gatepost/src/control") {
            continue;
        }
        for piece in source.of_kind(Kind::Code) {
            for (offset, call) in OPENING.iter().flat_map(|call| piece.text.match_indices(call)) {
                let line = line_at(piece, offset);
                if source.is_production(line) {
                    let text =
                        format!("{call}: only net opens sockets; use its listeners and its guarded dialling");
                    findings.push(Finding { file: source.path.to_owned(), line, rule: "edges", text });
                }
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_points_down_only() {
        for (place, (room, knows)) in ROOMS.iter().enumerate() {
            for other in *knows {
                let below = ROOMS[place + 1..].iter().any(|(name, _)| name == other);
                assert!(below, "{room} may not know {other}");
            }
        }
    }

    #[track_caller]
    fn check_edge(room: &str, name: &str, is_for_tests: bool, want: Option<&str>) {
        match (judge(room, name, is_for_tests), want) {
            (None, None) => {}
            (Some(text), Some(want)) => assert!(text.contains(want), "{text}"),
            (got, _) => panic!("{room} -> {name}: {got:?}"),
        }
    }

    #[test]
    fn edges_up_sideways_and_unknown_are_found() {
        check_edge("store", "gatepost-vault", false, None);
        check_edge("store", "gatepost-delivery", false, Some("stands above"));
        check_edge("store", "gatepost-delivery", true, Some("stands above"));
        check_edge("submission", "gatepost-vault", false, Some("so far"));
        check_edge("submission", "gatepost-vault", true, None);
        check_edge("attic", "gatepost-core", false, Some("attic is no room"));
        check_edge("delivery", "gatepost-testkit", false, Some("[dev-dependencies]"));
        check_edge("delivery", "gatepost-testkit", true, None);
        check_edge("delivery", "rusqlite", false, Some("only store"));
        check_edge("accounts", "aws-lc-rs", false, Some("only vault"));
        check_edge("gatepost", "axum", false, Some("web framework"));
        check_edge("delivery", "bytes", false, None);
    }

    #[test]
    fn a_socket_opened_outside_net_is_found() {
        let code =
            "fn f() {\n    TcpStream::connect(x);\n}\n#[cfg(test)]\nmod tests {\n TcpListener::bind(x); }\n";
        let found =
            |path: &str| check(&House::of(&[(path, code)])).iter().map(|it| it.line).collect::<Vec<_>>();
        assert_eq!(found("crates/delivery/src/x.rs"), [2]);
        assert!(found("crates/net/src/x.rs").is_empty());
        assert!(found("crates/delivery/tests/x.rs").is_empty());
    }
}
