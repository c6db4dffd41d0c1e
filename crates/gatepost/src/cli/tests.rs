use clap::CommandFactory as _;
use clap::error::ErrorKind;

use super::*;

fn parse(line: &str) -> Result<CommandLine, clap::Error> {
    CommandLine::try_parse_from(line.split_whitespace())
}

const ADD: &str = "gatepost account add --provider custom --address a@example.org";
const CREATE: &str = "gatepost app-password create --name X";

#[test]
fn the_tree_contradicts_itself_nowhere() {
    CommandLine::command().debug_assert();
}

#[test]
fn config_and_json_stand_anywhere_on_the_line() {
    for line in [
        "gatepost --json --config f account list",
        "gatepost account --config f list --json",
        "gatepost account list --config f --json",
    ] {
        let parsed = parse(line).unwrap();
        assert!(parsed.json && parsed.config == Some("f".into()), "{line}");
    }
}

#[test]
fn every_command_of_the_contract_is_there() {
    for line in [
        "gatepost demo --data d --portal-port 1 --submission-starttls-port 2 --submission-tls-port 3 --sandbox-pages-port 4 --sandbox-smtp-port 5 --free-ports",
        "gatepost init --config f --admin a@example.org --organisation O",
        "gatepost serve --config f",
        "gatepost check --config f",
        &format!(
            "{ADD} --short-name S --author-name N --user-name U --smtp h:587 --smtp-tls starttls --imap h:993 --imap-tls implicit --pop3 h:110 --pop3-tls none --password-stdin"
        ),
        "gatepost account add --provider sandbox --address a@sandbox.test",
        "gatepost account list",
        "gatepost account show a@example.org",
        "gatepost account check a@example.org",
        "gatepost account check a@example.org --no-letter",
        "gatepost account pause a@example.org",
        "gatepost account resume a@example.org",
        "gatepost account remove a@example.org --organisation O",
        &format!(
            "{CREATE} --account a@example.org --allow smtp,api --network 10.0.0.0/8 --network ::1 --expires 30"
        ),
        &format!("{CREATE} --person a@example.org"),
        &format!("{CREATE} --location L"),
        "gatepost app-password list",
        "gatepost app-password revoke 01938f6e-0000-7000-8000-000000000000",
        "gatepost oauth-client guide --service google --kind desktop",
        "gatepost oauth-client add --service google --client-id I --secret-stdin --kind web --verified",
        "gatepost oauth-client add --service microsoft --client-id I --no-secret --tenant T --kind desktop --installation",
        "gatepost oauth-client list --organisation O",
        "gatepost oauth-client remove --service google --installation",
        "gatepost person add --address p@example.org --name P",
        "gatepost person add --address p@example.org --name P --role administrator --location L",
        "gatepost person add --address p@example.org --name P --role operator --organisation O",
        "gatepost person list",
        "gatepost person disable p@example.org",
        "gatepost person enable p@example.org",
        "gatepost person reset-two-step p@example.org",
        "gatepost person reset-password p@example.org",
        "gatepost outbox list --state held --limit 5",
        "gatepost outbox show 01938f6e-0000-7000-8000-000000000000",
        "gatepost outbox retry 01938f6e-0000-7000-8000-000000000000",
        "gatepost outbox hold 01938f6e-0000-7000-8000-000000000000",
        "gatepost outbox release 01938f6e-0000-7000-8000-000000000000",
        "gatepost outbox cancel 01938f6e-0000-7000-8000-000000000000",
        "gatepost sandbox --data d --json",
    ] {
        assert!(parse(line).is_ok(), "{line}: {}", parse(line).unwrap_err());
    }
}

#[test]
fn what_is_used_wrongly_ends_with_code_2() {
    for line in [
        "gatepost",
        "gatepost frobnicate",
        "gatepost init --config f",
        "gatepost init --admin anna",
        ADD,
        &format!("{ADD} --smtp mail.example.org"),
        &format!("{ADD} --smtp mail.example.org:0"),
        &format!("{ADD} --smtp fd00::5:587"),
        &format!("{ADD} --smtp mail/example:587"),
        &format!("{ADD} --smtp h:587 --smtp-tls ssl"),
        &format!("{ADD} --smtp h:587 --imap-tls none"),
        CREATE,
        &format!("{CREATE} --account a@example.org --person a@example.org"),
        &format!("{CREATE} --account a@example.org --allow ftp"),
        &format!("{CREATE} --account a@example.org --network office"),
        &format!("{CREATE} --account a@example.org --expires 0"),
        "gatepost app-password revoke 7",
        "gatepost oauth-client add --service google",
        "gatepost oauth-client add --service google --client-id I --secret S",
        "gatepost oauth-client add --service google --client-id I --secret-stdin --no-secret",
        "gatepost oauth-client add --service google --client-id I --kind mobile",
        "gatepost oauth-client remove",
        "gatepost person add --address p@example.org",
        "gatepost person add --address paul --name P",
        "gatepost person add --address p@example.org --name P --role owner",
        "gatepost person disable",
        "gatepost person reset-password paul",
        "gatepost outbox show 7",
        "gatepost outbox list --state lost",
        "gatepost outbox list --limit 0",
        "gatepost demo --portal-port 70000",
    ] {
        assert_eq!(parse(line).unwrap_err().exit_code(), 2, "{line}");
    }
}

/// Arguments are visible to every user of the machine (OP-6), so no secret may be one.
#[test]
fn no_secret_can_be_given_as_an_argument() {
    let client = "gatepost oauth-client add --service google --client-id I";
    for word in ["--client-secret x", "--secret=x", "--secret-stdin=x"] {
        assert!(parse(&format!("{client} {word}")).is_err(), "{word}");
    }
    for word in ["--password x", "--password=x", "--password-stdin=x", "--master-key x"] {
        for line in
            [format!("{ADD} --smtp h:1 {word}"), format!("gatepost init --admin a@example.org {word}")]
        {
            assert!(parse(&line).is_err(), "{line}");
        }
    }
}

#[test]
fn help_shows_examples_first() {
    fn visit(command: &mut clap::Command) {
        let help = command.render_long_help().to_string();
        if !command.has_subcommands() || command.get_name() == "gatepost" {
            assert!(help.starts_with("Examples:\n"), "{}: {help}", command.get_name());
        }
        for inner in command.get_subcommands_mut().filter(|it| it.get_name() != "help") {
            visit(inner);
        }
    }
    visit(&mut CommandLine::command());
    assert_eq!(parse("gatepost account add --help").unwrap_err().kind(), ErrorKind::DisplayHelp);
}

#[test]
fn servers_are_written_with_names_and_addresses() {
    for (text, host, port) in [
        ("mail.example.org:587", "mail.example.org", 587),
        ("192.168.1.20:25", "192.168.1.20", 25),
        ("[fd00::5]:587", "fd00::5", 587),
        ("post_box:65535", "post_box", 65_535),
    ] {
        let read: HostPort = text.parse().unwrap();
        assert_eq!((read.host.as_str(), read.port), (host, port));
        assert_eq!(read.to_string(), text);
    }
    assert_eq!(TlsMode::usual_on(465), TlsMode::Implicit);
    assert_eq!(TlsMode::usual_on(2587), TlsMode::Starttls);
}
