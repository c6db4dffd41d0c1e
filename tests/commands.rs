//! Commands, used rightly and wrongly: one clear message with the cure, the exit code, and nothing half-made.
#![allow(clippy::unwrap_used, reason = "a test may stop wherever something is not as it should be")]

mod harness;

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::Command;

use gatepost_testkit::fresh_folder;
use harness::{Outcome, gatepost, gatepost_command, output_of, python, serve, with_input};
use serde_json::Value;
use tempfile::TempDir;

const ADMIN: &str = "anna@example.org";

/// An installation in a folder of its own.
struct Installation {
    folder: TempDir,
}

impl Installation {
    fn new() -> Self {
        let it = Self { folder: fresh_folder() };
        it.run(&["init", "--admin", ADMIN, "--organisation", "Lakeside Practice"]).done();
        it
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn config(&self) -> PathBuf {
        self.path("gatepost.toml")
    }

    fn run(&self, args: &[&str]) -> Outcome {
        output_of(self.command().args(args).arg("--config").arg(self.config()))
    }

    /// With ports that no other test has.
    fn command(&self) -> Command {
        let mut command = gatepost_command();
        command
            .env("GATEPOST_PORTAL_LISTEN", "127.0.0.1:0")
            .env("GATEPOST_SUBMISSION_STARTTLS", "127.0.0.1:0")
            .env("GATEPOST_SUBMISSION_TLS", "127.0.0.1:0");
        command
    }

    /// Every command that opens the installation is refused with these words.
    #[track_caller]
    fn refuses(&self, words: &[&str]) {
        for args in [&["serve"][..], &["account", "list"], &["outbox", "list", "--json"]] {
            self.run(args).refused(words);
        }
        let checked = self.run(&["check"]);
        assert_eq!(checked.code, Some(1), "{checked:?}");
        for word in words {
            assert!(checked.stdout.contains(word), "{word:?} is missing in: {}", checked.stdout);
        }
    }
}

/// Everything in a folder, with what it holds.
fn content(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut all = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path.clone());
                all.push((path, Vec::new()));
            } else {
                // A socket cannot be read.
                let bytes = if path.is_file() { fs::read(&path).unwrap() } else { Vec::new() };
                all.push((path, bytes));
            }
        }
    }
    all.sort();
    all
}

#[test]
fn wrong_use_ends_with_code_2_and_says_how_it_is_meant() {
    for (args, words) in [
        (&["frobnicate"][..], "unrecognized subcommand"),
        (&["init"][..], "--admin"),
        (&["init", "--admin", "anna"][..], "invalid value 'anna'"),
        (&["account", "add", "--provider", "custom", "--address", "a@example.org"][..], "--smtp"),
        (&["account", "add", "--provider", "No Body", "--address", "a@example.org"][..], "such as custom"),
        (&["outbox", "show", "7"][..], "invalid value '7'"),
    ] {
        let outcome = gatepost(args);
        assert_eq!(outcome.code, Some(2), "{args:?}: {outcome:?}");
        assert!(outcome.stderr.contains(words), "{args:?}: {}", outcome.stderr);
    }
    assert!(gatepost(["--help"]).done().starts_with("Examples:\n"));
}

#[test]
fn init_makes_everything_private_and_says_what_to_type_next() {
    let folder = fresh_folder();
    let config = folder.path().join("etc/gatepost.toml");
    let config_text = config.to_str().unwrap();
    let text =
        gatepost(["init", "--config", config_text, "--admin", ADMIN, "--organisation", "Lakeside Practice"])
            .done();
    assert!(
        text.contains("Gatepost is set up for Lakeside Practice, with anna@example.org as administrator."),
        "{text}"
    );
    assert!(text.contains("Keep a copy elsewhere"), "{text}");
    assert!(text.contains(&format!("  1. Start it:   gatepost serve --config {config_text}\n")), "{text}");
    assert!(text.contains("\n     http://localhost:8025/link?token="), "{text}");
    let again =
        format!("A new link, at any time: gatepost person reset-password {ADMIN} --config {config_text}\n");
    assert!(text.ends_with(&again), "{text}");
    for (name, mode) in
        [("gatepost.toml", 0o600), ("gatepost.key", 0o600), ("data", 0o700), ("data/gatepost.db", 0o600)]
    {
        let path = folder.path().join("etc").join(name);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, mode, "{name}");
    }
    let json = gatepost(["account", "list", "--json", "--config", config_text]).done();
    assert_eq!(json, "");
}

#[test]
fn a_second_init_is_refused_and_changes_nothing() {
    let it = Installation::new();
    let before = content(&it.path(""));
    for args in [
        &["init", "--admin", ADMIN][..],
        &["init", "--admin", "other@example.org", "--organisation", "Other"],
    ] {
        it.run(args).refused(&[
            "holds the data of Lakeside Practice already, and nothing was changed",
            &format!("A link to sign in: gatepost person reset-password {}", args[2]),
        ]);
    }
    let data = it.path("elsewhere");
    it.run(&["init", "--admin", ADMIN, "--data", data.to_str().unwrap()])
        .refused(&["is there already and says data_dir"]);
    let names = |all: Vec<(PathBuf, Vec<u8>)>| all.into_iter().map(|(path, _)| path).collect::<Vec<_>>();
    assert_eq!(names(content(&it.path(""))), names(before));
    it.run(&["check"]).done_or_warned();
}

#[test]
fn an_init_that_was_cut_off_is_finished_by_the_next() {
    let it = Installation::new();
    // The configuration is written last.
    fs::remove_file(it.config()).unwrap();
    it.run(&["init", "--admin", ADMIN, "--organisation", "Lakeside Practice"]).done();
    it.run(&["account", "list"]).done();
    let key = fs::read(it.path("gatepost.key")).unwrap();
    fs::remove_file(it.config()).unwrap();
    it.run(&["init", "--admin", ADMIN, "--organisation", "Another"])
        .refused(&["holds the data of Lakeside Practice already"]);
    assert!(!it.config().exists());
    assert_eq!(
        fs::read(it.path("gatepost.key")).unwrap(),
        key,
        "the key that opens the data is never replaced"
    );
}

#[test]
fn a_refused_init_leaves_nothing_behind() {
    let folder = fresh_folder();
    fs::write(folder.path().join("data"), "a file").unwrap();
    let before = content(folder.path());
    let config = folder.path().join("gatepost.toml");
    let init =
        |args: &[&str]| output_of(gatepost_command().arg("init").arg("--config").arg(&config).args(args));
    init(&["--admin", ADMIN]).refused(&["data is not a folder"]);
    init(&["--admin", ADMIN, "--data", folder.path().join("new").to_str().unwrap(), "--organisation", " "])
        .refused(&["the name is empty"]);
    assert_eq!(content(folder.path()), before);
}

#[test]
fn mistakes_in_the_configuration_are_named_with_file_line_and_nearest_key() {
    let it = Installation::new();
    let good = fs::read_to_string(it.config()).unwrap();
    let line = good.lines().count() + 1;
    fs::write(it.config(), format!("{good}[submission2]\nlisen = 1\n")).unwrap();
    let shown = it.config().display().to_string();
    it.run(&["serve"]).refused(&[&format!("{shown}:{line}: unknown section [submission2]"), "Did you mean"]);
    fs::write(it.config(), good.replace("starttls =", "startls =")).unwrap();
    it.refuses(&["unknown key \"startls\" in [submission]", "Did you mean \"starttls\"?"]);
    fs::write(it.config(), good.replace("data_dir = \"data\"", "data_dir = \"gone\"")).unwrap();
    it.refuses(&["there is no folder", "gone. Run: gatepost init"]);
    fs::remove_file(it.config()).unwrap();
    it.run(&["serve"])
        .refused(&["there is no configuration at", "Run: gatepost init --config FILE --admin EMAIL"]);
    fs::write(it.config(), good).unwrap();
    let wrong = output_of(
        it.command().env("GATEPOST_LOG_LEVEL", "loud").args(["outbox", "list", "--config"]).arg(it.config()),
    );
    wrong.refused(&["the environment variable GATEPOST_LOG_LEVEL: log.level is \"loud\""]);
}

#[test]
fn a_key_file_that_others_can_read_is_refused_with_the_command_that_mends_it() {
    let it = Installation::new();
    let key = it.path("gatepost.key");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
    let shown = key.display();
    it.refuses(&[&format!(
        "the master key {shown} can be read by others (mode 0644). Run: chmod 600 {shown}"
    )]);
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
    it.run(&["account", "list"]).done();
}

#[test]
fn another_installations_key_and_a_missing_key_are_refused() {
    let (it, other) = (Installation::new(), Installation::new());
    let key = it.path("gatepost.key");
    let right = fs::read(&key).unwrap();
    let database = fs::read(it.path("data/gatepost.db")).unwrap();
    fs::copy(other.path("gatepost.key"), &key).unwrap();
    let shown = key.display();
    it.refuses(&[
        &format!("the master key in {shown} does not open this database. Put back the key file that belongs to it (key id "),
    ]);
    fs::remove_file(&key).unwrap();
    it.refuses(&[&format!("the master key {shown} is missing. Put it back")]);
    it.run(&["init", "--admin", ADMIN]).refused(&["is missing. Put it back"]);
    assert!(!key.exists(), "no new key is made for a database that it cannot open");
    fs::write(&key, right).unwrap();
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
    it.run(&["account", "list"]).done();
    assert_eq!(
        fs::read(it.path("data/gatepost.db")).unwrap(),
        database,
        "nothing was written under the wrong key"
    );
}

/// QS-10.
#[test]
fn a_newer_database_is_refused_by_name() {
    let it = Installation::new();
    let program = "import sqlite3, sys\n\
                   database = sqlite3.connect(sys.argv[1])\n\
                   database.execute(\"INSERT INTO migration SELECT room, 7, 'from the future', applied_at FROM migration WHERE room = 'store'\")\n\
                   database.commit()\n";
    output_of(python().arg("-c").arg(program).arg(it.path("data/gatepost.db"))).done();
    it.refuses(&[
        "the database was written by a newer Gatepost (store migration 7, this program knows 1). Install that version or newer",
    ]);
}

#[test]
fn a_lost_database_is_not_replaced_by_an_empty_one() {
    let it = Installation::new();
    fs::remove_file(it.path("data/gatepost.db")).unwrap();
    it.refuses(&["there is no database", "Run: gatepost init", "or correct data_dir"]);
    assert!(!it.path("data/gatepost.db").exists());
    fs::write(it.path("data/gatepost.db"), "this is no database, and longer than the head of one").unwrap();
    it.refuses(&["gatepost.db cannot be opened", "put a backup in its place"]);
}

#[test]
fn a_busy_port_is_named_with_the_key_that_moves_it() {
    let it = Installation::new();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let port = address.rsplit_once(':').unwrap().1;
    let run = |args: &[&str]| {
        output_of(
            it.command().env("GATEPOST_SUBMISSION_TLS", &address).args(args).arg("--config").arg(it.config()),
        )
    };
    run(&["serve"]).refused(&[
        &format!("port {port} on 127.0.0.1 is in use. Stop the program that uses it"),
        "choose another address for tls under [submission]",
    ]);
    let checked = run(&["check"]);
    assert_eq!(checked.code, Some(1));
    assert!(
        checked.stdout.contains(&format!("✗ port           port {port} on 127.0.0.1 is in use")),
        "{}",
        checked.stdout
    );
    // Neither of two keys, where another program is not to blame; and a section that opens nothing.
    let config = fs::read_to_string(it.config()).unwrap();
    fs::write(it.config(), format!("{config}\n[imap]\nconnections_total = 10\n")).unwrap();
    let warned =
        "! port           [imap] opens no door, so nothing can be read by it: add starttls = \"0.0.0.0:143\"";
    let checked = run(&["check"]).stdout;
    assert!(checked.contains(warned) && !checked.contains("[pop3]"), "{checked}");
    fs::write(it.config(), format!("{config}\n[imap]\ntls = {address:?}\n")).unwrap();
    let checked = run(&["check"]);
    assert_eq!(checked.code, Some(1));
    assert!(
        checked.stdout.contains(&format!("imap.tls listens at {address}, and submission.tls at {address}")),
        "{}",
        checked.stdout
    );
    fs::write(it.config(), config).unwrap();
    // A server that could not start leaves nothing in the way.
    it.run(&["account", "list"]).done();
    assert!(!it.path("data/control.sock").exists());
}

#[test]
fn a_second_server_is_refused_and_commands_reach_the_first() {
    let it = Installation::new();
    let first = serve(&it.config());
    it.run(&["serve"]).refused(&[
        &format!("another Gatepost (process {}) is using", first.process_id()),
        "Stop it first, or choose another data_dir",
    ]);
    let before = content_names(&it.path("data"));
    let made = it.run(&["app-password", "create", "--person", ADMIN, "--name", "Laptop", "--json"]).json();
    assert_eq!(made["user_name"], ADMIN);
    assert_eq!(it.run(&["app-password", "list", "--json"]).json()["id"], made["id"]);
    it.run(&["init", "--admin", ADMIN]).refused(&["another Gatepost"]);
    assert_eq!(content_names(&it.path("data")), before);
    assert_eq!(first.stop().code(), Some(0));
    assert_eq!(
        it.run(&["app-password", "list", "--json"]).json()["id"],
        made["id"],
        "the same without a server"
    );
}

/// E1.
#[test]
fn what_cannot_be_read_is_said_with_the_command_when_an_app_password_is_made() {
    let it = Installation::new();
    let add = ["account", "add", "--provider", "custom", "--address", "a@example.org", "--unchecked"];
    let servers = ["--smtp", "127.0.0.1:1", "--imap", "127.0.0.1:1", "--password-stdin"];
    let mut command = it.command();
    command.args(add).args(servers).arg("--config").arg(it.config());
    with_input(&mut command, "secret").done();
    let create = |whom: [&str; 2], options: &[&str]| {
        let mut command = it.command();
        if !options.contains(&"closed") {
            command.env("GATEPOST_IMAP_TLS", "127.0.0.1:0").env("GATEPOST_POP3_TLS", "127.0.0.1:0");
        }
        let options = options.iter().filter(|it| **it != "closed");
        command.args(["app-password", "create", "--name", "X"]).args(whom).args(options);
        output_of(command.arg("--config").arg(it.config()))
    };
    let (person, account) = (["--person", ADMIN], ["--account", "a@example.org"]);
    let made = create(person, &[]).done();
    assert!(made.contains(&format!("There is nothing to read yet: no mailbox is {ADMIN}'s own.")), "{made}");
    let next = format!("Next: gatepost account default ADDRESS --for-person {ADMIN} --config ");
    assert!(made.contains(&next), "{made}");
    let made = create(account, &[]).done();
    assert!(
        made.contains("a@example.org has no POP3 server in Gatepost: it cannot be read by POP3."),
        "{made}"
    );
    assert!(made.contains("Next: gatepost account reauthenticate a@example.org --pop3 HOST:PORT "), "{made}");
    assert!(!made.contains("IMAP server"), "{made}");
    let missing = create(account, &["--json", "--allow", "pop3"]).json()["missing"].clone();
    assert_eq!(missing[0]["command"], "gatepost account reauthenticate a@example.org --pop3 HOST:PORT");
    // The first of those that it may use, as none of them is open.
    for (allowed, section) in [("smtp,imap,pop3", "[imap]"), ("pop3", "[pop3]")] {
        let missing = create(account, &["--json", "closed", "--allow", allowed]).json()["missing"].clone();
        let text = missing[0]["text"].as_str().unwrap();
        assert!(text.contains("no door for that is open here") && text.contains(section), "{missing}");
        assert!(missing[0]["command"].is_null() && missing[1].is_null(), "{missing}");
    }
    for options in [&["--json", "--allow", "smtp,imap"][..], &["--json", "closed", "--allow", "smtp"]] {
        assert_eq!(create(account, options).json()["missing"], serde_json::json!([]), "{options:?}");
    }
}

fn content_names(folder: &Path) -> Vec<PathBuf> {
    content(folder).into_iter().map(|(path, _)| path).collect()
}

/// Commands as another user would write files that the service cannot read.
#[test]
fn the_folder_of_another_user_is_refused_with_the_command_to_type() {
    let it = Installation::new();
    if !rustix::process::geteuid().is_root() {
        // Others cannot give files away; what they find in /usr is root's.
        let text = fs::read_to_string(it.config()).unwrap().replace("\"data\"", "\"/usr\"");
        fs::write(it.config(), text).unwrap();
        return it
            .refuses(&["/usr belongs to user root, and this command runs as", "Run: sudo -u root gatepost"]);
    }
    chown(it.path("data"), Some(65_534), None).unwrap();
    it.refuses(&["data belongs to user nobody, and this command runs as root. Run: sudo -u nobody gatepost"]);
}

/// The same for a disk that is mounted read-only; nobody else may make one here.
#[test]
fn a_folder_that_cannot_be_written_is_refused() {
    let it = Installation::new();
    let data = it.path("data");
    let mut command = it.command();
    if rustix::process::geteuid().is_root() {
        // Root may write anywhere: the same program, as somebody who may not.
        fs::set_permissions(it.folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let program = it.path("gatepost");
        fs::copy(env!("CARGO_BIN_EXE_gatepost"), &program).unwrap();
        for name in ["data", "data/lock", "data/gatepost.db", "gatepost.key", "gatepost.toml"] {
            chown(it.path(name), Some(65_534), None).unwrap();
        }
        command = Command::new("setpriv");
        command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(program);
    }
    fs::set_permissions(data.join("lock"), fs::Permissions::from_mode(0o400)).unwrap();
    fs::set_permissions(&data, fs::Permissions::from_mode(0o500)).unwrap();
    let outcome = output_of(command.args(["account", "list", "--config"]).arg(it.config()));
    outcome.refused(&[&format!(
        "cannot write in {}: permission denied. Make the folder as root",
        data.display()
    )]);
    fs::set_permissions(&data, fs::Permissions::from_mode(0o700)).unwrap();
}

#[test]
fn certificates_that_cannot_be_served_are_named_by_serve_and_check() {
    let it = Installation::new();
    let good = fs::read_to_string(it.config()).unwrap();
    let certificate = it.path("certificate.pem");
    let tls = format!("\n[tls]\ncertificate = \"certificate.pem\"\nkey = {:?}\n", it.path("gatepost.key"));
    fs::write(it.config(), format!("{good}{tls}")).unwrap();
    it.run(&["serve"]).refused(&["certificate.pem", "No such file"]);
    fs::write(&certificate, "no certificate").unwrap();
    for outcome in [it.run(&["serve"]), it.run(&["check"])] {
        assert_eq!(outcome.code, Some(1));
        let said = format!("{}{}", outcome.stdout, outcome.stderr);
        assert!(said.contains("no certificate found: a PEM file"), "{said}");
    }
}

#[test]
fn a_mail_account_comes_and_goes_with_its_password_on_standard_input() {
    let it = Installation::new();
    let address = "reception@example.org";
    let add = |address: &str| {
        let mut command = it.command();
        command.args([
            "account",
            "add",
            "--provider",
            "custom",
            "--address",
            address,
            "--short-name",
            "Reception",
        ]);
        command.args([
            "--smtp",
            "127.0.0.1:9",
            "--smtp-tls",
            "implicit",
            "--password-stdin",
            "--unchecked",
            "--json",
        ]);
        command.arg("--config").arg(it.config());
        command
    };
    let added = with_input(&mut add(address), "hunter2\n").json();
    assert_eq!(added["address"], address);
    assert_eq!(added["status"], "unchecked");
    assert_eq!(added["smtp"], serde_json::json!({ "host": "127.0.0.1", "port": 9, "tls": "implicit" }));
    with_input(&mut add(address), "hunter2\n").refused(&[
        "the mailbox reception@example.org is connected already",
        "gatepost account reauthenticate",
    ]);
    with_input(&mut add("second@example.org"), "").refused(&["the password is empty"]);
    for args in [&["account", "list", "--json"][..], &["account", "show", address, "--json"]] {
        let shown = it.run(args).json();
        for key in ["id", "short_name", "address", "provider", "status", "diagnosis", "sending", "reading"] {
            assert!(shown.get(key).is_some(), "{key} is missing in {shown}");
        }
        assert!(!shown.to_string().contains("hunter2"));
    }
    // The guard keeps us from knocking at our own machine.
    let checked = it.run(&["account", "check", address]);
    assert_eq!(checked.code, Some(1));
    assert!(checked.stdout.starts_with("✗ find the server's address"), "{}", checked.stdout);
    assert!(
        checked.stderr.contains("Cure: ") && checked.stderr.contains("Who can do this: "),
        "{}",
        checked.stderr
    );
    assert_eq!(it.run(&["account", "pause", address, "--json"]).json()["status"], "paused");
    assert_ne!(it.run(&["account", "resume", address, "--json"]).json()["status"], "paused");
    it.run(&["account", "remove", address]).done();
    it.run(&["account", "show", address])
        .refused(&["there is no mail account reception@example.org", "gatepost account list"]);
}

/// The token of a link to the portal.
#[track_caller]
fn token_of(shown: &Value) -> String {
    let link = shown["link"].as_str().unwrap_or_else(|| panic!("no link in {shown}"));
    let (before, token) = link.split_once("/link?token=").unwrap();
    assert!(before.starts_with("http://localhost:"), "{link}");
    let is_token = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    assert!(token.len() == 43 && token.chars().all(is_token), "{link}");
    token.to_owned()
}

#[test]
fn init_gives_the_administrator_a_link_for_a_day_and_another_can_be_had() {
    let folder = fresh_folder();
    let it = Installation { folder };
    let made = it.run(&["init", "--admin", ADMIN, "--json"]).json();
    let first = token_of(&made);
    assert!(made["link_expires_at"].is_string(), "{made}");
    let again = it.run(&["person", "reset-password", ADMIN, "--json"]).json();
    assert_eq!(again["kind"], "set_up", "until a password is chosen, it is the same way in");
    assert_ne!(token_of(&again), first);
    assert!(again["expires_at"].as_str() >= made["link_expires_at"].as_str());
}

#[test]
fn without_a_portal_nothing_gives_out_links() {
    let it = Installation { folder: fresh_folder() };
    let run = |args: &[&str]| {
        let mut command = it.command();
        output_of(command.env("GATEPOST_PORTAL_LISTEN", "").args(args).arg("--config").arg(it.config()))
    };
    let off = "the portal listens nowhere. Add listen = \"127.0.0.1:8025\" under [portal] in the configuration, and start the server again";
    let made = run(&["init", "--admin", ADMIN, "--json"]).json();
    assert!(made["link"].is_null(), "{made}");
    for args in [
        &["person", "add", "--address", "paul@example.org", "--name", "Paul"][..],
        &["person", "reset-password", ADMIN],
    ] {
        run(args).refused(&[&format!("there is no link to hand over: {off}")]);
    }
    let people = run(&["person", "list", "--json"]).json_lines();
    assert_eq!(people.len(), 1, "nobody was added: {people:?}");
    let checked = run(&["check"]).done();
    assert!(checked.contains(&format!("! portal         nobody can sign in: {off}")), "{checked}");
}

/// Everything that is done with a person by command.
fn walk_through_a_persons_life(it: &Installation, address: &str) {
    let person = |args: &[&str]| it.run(&[&["person"], args].concat());
    let added = person(&["add", "--address", address, "--name", "Paul Berg", "--json"]).json();
    let id = added["id"].as_str().unwrap();
    assert_eq!(
        [&added["address"], &added["name"], &added["role"], &added["kind"]],
        [address, "Paul Berg", "operator", "invitation"]
    );
    assert!(added["expires_at"].is_string());
    let first = token_of(&added);
    person(&["add", "--address", &address.to_uppercase(), "--name", "Paul Berg"])
        .refused(&[&format!("there is already a person with the address {address}")]);
    let of_list = || {
        let all = person(&["list", "--json"]).json_lines();
        all.into_iter().find(|it| it["id"] == id).unwrap()
    };
    assert_eq!(of_list()["state"], "invited");
    assert_eq!(of_list()["two_step"], false);
    assert!(of_list()["signed_in_at"].is_null());
    let again = person(&["reset-password", address, "--json"]).json();
    assert_eq!(again["kind"], "invitation");
    assert_eq!(token_of(&again), first, "the letter and whoever hands the link over bring the same one");
    person(&["reset-two-step", address])
        .refused(&["two-step verification of", "is not on, so there is nothing to reset"]);
    assert_eq!(person(&["disable", address, "--json"]).json()["state"], "disabled");
    assert_eq!(of_list()["state"], "disabled");
    person(&["reset-password", address])
        .refused(&["is disabled", &format!("Run: gatepost person enable {address}")]);
    assert_eq!(person(&["enable", address, "--json"]).json()["state"], "invited");
    let made = it.run(&["app-password", "create", "--person", address, "--name", "Laptop", "--json"]).json();
    assert_eq!(made["user_name"], address);
    let text = person(&["reset-password", address]).done();
    assert!(
        text.contains("With this link Paul Berg chooses a password.") && text.contains("/link?token="),
        "{text}"
    );
    let list = person(&["list"]).done();
    assert!(list.starts_with("NAME ") && list.contains(address), "{list}");
}

#[test]
fn people_come_and_go_with_and_without_a_server() {
    let it = Installation::new();
    walk_through_a_persons_life(&it, "paul@example.org");
    let server = serve(&it.config());
    walk_through_a_persons_life(&it, "peter@example.org");
    let door = server.text("portal");
    let link = it.run(&["person", "reset-password", ADMIN, "--json"]).json()["link"].clone();
    let mut first_page = Command::new("curl");
    first_page.args(["--silent", "--write-out", "%{redirect_url}", &format!("http://{door}/")]);
    assert_eq!(output_of(&mut first_page).done(), format!("http://{door}/sign-in"));
    let port = door.rsplit_once(':').unwrap().1;
    assert!(link.as_str().unwrap().starts_with(&format!("http://localhost:{port}/link?")), "{link} {door}");
    let log = server.log.clone();
    assert_eq!(server.stop().code(), Some(0));
    let log = fs::read_to_string(log).unwrap();
    assert!(log.trim_end().ends_with("stopped"), "nothing holds the database open: {log}");
}

#[test]
fn the_last_administrator_stays() {
    let it = Installation::new();
    it.run(&["person", "disable", ADMIN])
        .refused(&[&format!("{ADMIN} is the last administrator who can sign in.")]);
    let mut add = vec!["person", "add", "--address", "rosa@example.org", "--name", "Rosa"];
    add.extend(["--role", "administrator", "--json"]);
    assert_eq!(it.run(&add).json()["role"], "administrator");
    it.run(&["person", "list"]).done();
}

/// Takes away what was added to the database after the first release of it.
const BEFORE_THE_PORTAL: &str = r#"
import pathlib, re, sqlite3, sys
database = sqlite3.connect(sys.argv[1])
texts = [it.read_text() for it in pathlib.Path(sys.argv[2]).glob('crates/*/migrations/*.sql') if not it.name.startswith('0001_')]
assert texts
text = re.sub(r'--.*', '', ' '.join(it + chr(10) for it in texts))
for name in re.findall(r'CREATE (?:UNIQUE )?INDEX (\w+)', text):
    database.execute(f'DROP INDEX {name}')
for name in re.findall(r'CREATE TABLE (\w+)', text):
    database.execute(f'DROP TABLE {name}')
for table, column in re.findall(r'ALTER TABLE (\w+) ADD COLUMN (\w+)', text):
    database.execute(f'ALTER TABLE {table} DROP COLUMN {column}')
n = database.execute("DELETE FROM migration WHERE version > 1").rowcount
assert n == len(texts), (n, len(texts))
database.commit()
"#;

#[test]
fn an_installation_from_before_the_portal_starts_and_its_administrator_gets_in() {
    let it = Installation::new();
    let made = it.run(&["app-password", "create", "--person", ADMIN, "--name", "Laptop", "--json"]).json();
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut program = python();
    program.arg("-c").arg(BEFORE_THE_PORTAL).arg(it.path("data/gatepost.db")).arg(repository);
    output_of(&mut program).done();
    let server = serve(&it.config());
    assert_eq!(it.run(&["app-password", "list", "--json"]).json()["id"], made["id"]);
    let shown = it.run(&["person", "reset-password", ADMIN, "--json"]).json();
    assert_eq!(shown["kind"], "set_up");
    token_of(&shown);
    assert_eq!(server.stop().code(), Some(0));
}

#[test]
fn what_would_happen_to_a_letter_is_explained_before_one_is_sent() {
    let it = Installation::new();
    let mut add = vec!["person", "add", "--address", "olga@example.org", "--name", "Olga"];
    add.extend(["--role", "operator"]);
    it.run(&add).done();
    let explain = ["outbox", "explain", "--person", "olga@example.org"];
    let none = it.run(&[&explain[..], &["--json"]].concat()).json();
    assert_eq!((&none["account"], none["considered"].as_array().unwrap().len()), (&Value::Null, 2));
    assert!(none["held"].as_str().unwrap().contains("connect one"), "{none}");

    let mut add = vec!["account", "add", "--provider", "custom", "--address", "reception@example.org"];
    add.extend(["--short-name", "Reception", "--user-name", "reception", "--smtp", "smtp.example.org:587"]);
    add.extend(["--smtp-tls", "starttls", "--password-stdin", "--unchecked"]);
    let mut adding = it.command();
    adding.args(add).arg("--config").arg(it.config());
    with_input(&mut adding, "correct horse battery").done();
    let text = it.run(&explain).done();
    assert!(text.contains("would leave by reception@example.org: the organisation's default."), "{text}");
    assert!(text.contains("this person's own account") && text.contains("there is none"), "{text}");

    it.run(&["account", "pause", "reception@example.org"]).done();
    let paused = it.run(&[&explain[..], &["--json"]].concat()).json();
    assert_eq!(paused["account"], "reception@example.org");
    assert!(paused["held"].as_str().unwrap().contains("is paused since"), "{paused}");
    assert_eq!(paused["considered"][1]["verdict"], "chosen");
    it.run(&["outbox", "explain", "--location", "Nowhere"]).refused(&["no location named"]);
    it.run(&["outbox", "list", "--json"]).done();
}

#[test]
fn an_account_is_edited_by_what_is_given_alone() {
    let it = Installation::new();
    let mut add = vec!["account", "add", "--provider", "custom", "--address", "reception@example.org"];
    add.extend([
        "--short-name",
        "Reception",
        "--smtp",
        "smtp.example.org:587",
        "--password-stdin",
        "--unchecked",
    ]);
    let mut adding = it.command();
    adding.args(add).arg("--config").arg(it.config());
    with_input(&mut adding, "correct horse battery").done();
    let edit = ["account", "edit", "reception@example.org", "--json"];
    let one = it.run(&[&edit[..], &["--short-name", "Front desk", "--send-as", "info@example.org"]].concat());
    let one = one.json();
    assert_eq!(
        (&one["short_name"], &one["user_name"]),
        (&"Front desk".into(), &"reception@example.org".into())
    );
    assert_eq!(one["send_as"], serde_json::json!(["reception@example.org", "info@example.org"]));
    let two = it.run(&[&edit[..], &["--never-falls-back", "true", "--for-person", ADMIN]].concat()).json();
    assert_eq!((&two["short_name"], &two["send_as"]), (&one["short_name"], &one["send_as"]));
    let explained = it.run(&["outbox", "explain", "--person", ADMIN, "--json"]).json();
    assert_eq!(explained["because"], "this person's own account");
    let text = it.run(&["account", "edit", "reception@example.org", "--send-as-itself-only"]).done();
    assert!(text.contains("Front desk") && !text.contains("info@example.org"), "{text}");
    it.run(&["account", "edit", "reception@example.org", "--short-name", " "])
        .refused(&["1 to 60 characters"]);
    it.run(&["account", "edit", "nobody@example.org", "--short-name", "X"])
        .refused(&["gatepost account list"]);
    it.run(&["account", "edit", "reception@example.org", "--for-location", "Nowhere"])
        .refused(&["no location named"]);
}

#[test]
fn defaults_are_chosen_by_command() {
    let it = Installation::new();
    for name in ["reception", "billing"] {
        let address = format!("{name}@example.org");
        let mut add = vec!["account", "add", "--provider", "custom", "--address", &address];
        add.extend([
            "--short-name",
            name,
            "--smtp",
            "smtp.example.org:587",
            "--password-stdin",
            "--unchecked",
        ]);
        let mut adding = it.command();
        adding.args(add).arg("--config").arg(it.config());
        with_input(&mut adding, "correct horse battery").done();
    }
    let because = |person: &[&str]| {
        let explained = it.run(&[&["outbox", "explain"], person, &["--json"]].concat()).json();
        (explained["account"].as_str().unwrap().to_owned(), explained["because"].as_str().unwrap().to_owned())
    };
    let default = ["account", "default", "billing@example.org"];
    let (me, reception) = (["--person", ADMIN], "reception@example.org".to_owned());
    assert_eq!(because(&me), (reception, "the organisation's default".to_owned()));
    let made = it.run(&[&default[..], &["--for-organisation", "--json"]].concat()).json();
    assert_eq!(made["default_of"], serde_json::json!(["the organisation"]));
    assert_eq!(made["serves"], "the organisation");
    let billing = "billing@example.org".to_owned();
    assert_eq!(because(&me), (billing.clone(), "the organisation's default".to_owned()));
    let text = it.run(&[&default[..], &["--for-person", ADMIN]].concat()).done();
    assert_eq!(because(&me), (billing, "this person's own account".to_owned()));
    let line = text.lines().find(|it| it.contains("Default of")).unwrap();
    assert!(line.ends_with(&format!("person {ADMIN}, the organisation")), "{line}");
    let other = it.run(&["account", "show", "reception@example.org"]).done();
    assert!(!other.contains("Default of"), "{other}");
    it.run(&[&default[..], &["--for-location", "Nowhere"]].concat()).refused(&["no location named"]);
    it.run(&["account", "default", "nobody@example.org", "--for-organisation"])
        .refused(&["gatepost account list"]);
}

#[test]
fn what_is_not_there_is_said_with_the_command_that_lists_it() {
    let it = Installation::new();
    let id = "01938f6e-0000-7000-8000-000000000000";
    for (args, words) in [
        (&["outbox", "show", id][..], "gatepost outbox list"),
        (&["outbox", "retry", id], "gatepost outbox list"),
        (&["app-password", "revoke", id], "gatepost app-password list"),
        (&["account", "check", "a@example.org"], "gatepost account list"),
        (&["app-password", "create", "--account", "a@example.org", "--name", "X"], "gatepost account list"),
        (
            &["app-password", "create", "--person", "b@example.org", "--name", "X"],
            "there is no person with the address b@example.org in Lakeside Practice. See them with: gatepost person list",
        ),
        (&["person", "disable", "b@example.org"], "gatepost person list"),
        (&["person", "reset-password", "b@example.org"], "gatepost person list"),
        (
            &["person", "add", "--address", "p@example.org", "--name", "P", "--location", "Nowhere"],
            "there is no location named \"Nowhere\" in Lakeside Practice. There ",
        ),
        (&["person", "add", "--address", "p@example.org", "--name", " "], "the name is empty"),
        (
            &["account", "list", "--organisation", "Elsewhere"],
            "there is no organisation named \"Elsewhere\". There are: Lakeside Practice",
        ),
        (
            &["account", "add", "--provider", "sandbox", "--address", "a@sandbox.test"],
            "which holds a real installation. Start one with: gatepost sandbox --data ANOTHER-FOLDER",
        ),
        (
            &["account", "add", "--provider", "sandbox", "--address", "a@sandbox.test", "--sign-in"],
            "name its servers with --smtp HOST:PORT and --imap HOST:PORT",
        ),
        (
            &["account", "add", "--provider", "gmial", "--address", "a@gmail.com", "--sign-in"],
            "there is no provider gmial. Did you mean gmail? Known are: aol, custom, fastmail, gmail,",
        ),
        (
            &["account", "add", "--provider", "unheard-of", "--address", "a@example.org", "--sign-in"],
            "there is no provider unheard-of. Known are: ",
        ),
    ] {
        it.run(args).refused(&[words]);
    }
}

impl Outcome {
    /// A new installation has no mail account yet, which is worth a warning and no error.
    #[track_caller]
    fn done_or_warned(self) {
        let text = self.done();
        assert!(text.contains("! mail account") && text.ends_with("All is well.\n"), "{text}");
    }
}
