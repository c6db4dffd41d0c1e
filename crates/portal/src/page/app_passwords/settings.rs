//! What is typed into an application besides the letters.

use gatepost_accounts::Target as Sends;
use gatepost_identity::{AppPassword, Protocol, Target};

use super::application::{Application, Field};
use super::application_of;
use super::reads::Missing;
use super::right::Held;
use crate::frame::{Page, Problem, Signed};
use crate::settings::{MailDoors, Ports};

/// The settings of one app password.
pub(super) struct Settings {
    pub(super) application: &'static Application,
    pub(super) host: String,
    /// Whether it may send.
    pub(super) sends: bool,
    /// It may read alone, and no door for that is open.
    pub(super) reads_nowhere: bool,
    /// By which protocol it reads that may not send: the doors below are that one's.
    pub(super) reads_by: Option<&'static str>,
    /// The port that most should use; none where no door for letters is open.
    pub(super) door: Option<Door>,
    /// The other one.
    pub(super) other_door: Option<Door>,
    /// Where it may read.
    pub(super) read_from: Vec<ReadFrom>,
    /// What it will not be able to read.
    pub(super) missing: Option<Missing>,
    pub(super) user_name: String,
    name: String,
    sender: Option<String>,
    sender_name: Option<String>,
}

/// A server to read from, by one protocol.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ReadFrom {
    pub(super) protocol: &'static str,
    pub(super) door: Door,
    pub(super) other_door: Option<Door>,
}

/// A port, and what the application calls its encryption.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Door {
    pub(super) port: String,
    pub(super) encryption: String,
}

/// A field of the application with what is typed there.
pub(super) struct Typed {
    pub(super) name: String,
    pub(super) value: String,
}

/// What is typed for reading by one protocol.
pub(super) struct Incoming {
    pub(super) title: String,
    pub(super) fields: Vec<Typed>,
    /// Where the first one does not work.
    pub(super) other_door: Option<Door>,
}

impl Settings {
    pub(super) async fn of(
        page: &Page,
        signed: &Signed,
        it: &AppPassword,
        held: &Held,
    ) -> Result<Self, Problem> {
        let rooms = &page.app.rooms;
        let target = match held.login.target {
            Target::Account(id) => Sends::Account(id),
            Target::Location(id) => Sends::Location(id),
            Target::Person(id) => {
                let person = rooms.identity.get_person(signed.organisation(), id).await?;
                Sends::Person { id, home: person.home_location }
            }
        };
        let chosen = rooms.accounts.choose(signed.organisation(), target).await?;
        let accounts = rooms.accounts.list(signed.organisation()).await?;
        let account = accounts.into_iter().find(|it| Some(it.id) == chosen.account);
        let application = application_of(it).unwrap_or_else(Application::generic);
        let mail = &page.app.settings.mail;
        let doors = Doors::of(mail, it, application);
        let (organisation, allowed) = (signed.organisation(), it.limits.allowed);
        let sends = allowed.allow(Protocol::Smtp);
        let may_read = allowed.allow(Protocol::Imap) || allowed.allow(Protocol::Pop3);
        let missing = Missing::of(page, organisation, target, &held.whose, allowed).await?;
        Ok(Self {
            application,
            host: mail.host.clone(),
            sends,
            reads_nowhere: !sends && may_read && doors.read_from.is_empty(),
            reads_by: doors.reads_by,
            door: doors.first,
            other_door: doors.second,
            read_from: doors.read_from,
            missing,
            user_name: it.user_name.clone(),
            name: it.name.clone(),
            sender: account.as_ref().map(|it| it.address.to_string()),
            sender_name: account.map(|it| it.author_name).filter(|it| !it.is_empty()),
        })
    }

    /// The application's fields for sending, with what is typed there; none where it may not send. For the letters stands
    /// `letters`, which says where they are; never they themselves.
    pub(super) fn fields(&self, page: &Page, letters: &str) -> Vec<Typed> {
        if !self.sends {
            return Vec::new();
        }
        self.typed(page, &self.application.fields, self.door.as_ref(), letters)
    }

    /// The same for reading, by each protocol.
    pub(super) fn incoming(&self, page: &Page, letters: &str) -> Vec<Incoming> {
        let fields = &self.application.incoming.fields;
        let incoming = |(n, it): (usize, &ReadFrom)| {
            let key = if n == 0 { "sheet.incoming" } else { "sheet.incoming_or" };
            Incoming {
                title: page.t.fill(key, &[("protocol", it.protocol)]),
                fields: self.typed(page, fields, Some(&it.door), letters),
                other_door: it.other_door.clone(),
            }
        };
        self.read_from.iter().enumerate().map(incoming).collect()
    }

    fn typed(&self, page: &Page, fields: &[Field], door: Option<&Door>, letters: &str) -> Vec<Typed> {
        let t = page.t;
        let none = || t.of("sheet.no_door").to_owned();
        let (port, encryption) =
            door.map_or_else(|| (none(), none()), |it| (it.port.clone(), it.encryption.clone()));
        let sender = self.sender.as_deref().unwrap_or_else(|| t.of("sheet.no_sender"));
        let values = [
            ("host", self.host.as_str()),
            ("port", &port),
            ("encryption", &encryption),
            ("user_name", &self.user_name),
            ("password", letters),
            ("name", &self.name),
            ("sender", sender),
            ("sender_name", self.sender_name.as_deref().unwrap_or_else(|| t.of("sheet.no_sender_name"))),
        ];
        fields.iter().map(|it| Typed { name: it.name.clone(), value: filled(&it.value, &values) }).collect()
    }

    /// Host, port, encryption and user name as plain text, for a telephone that reads it from paper.
    pub(super) fn as_text(&self, page: &Page) -> String {
        let lines = self.plain(page).into_iter();
        lines.map(|it| format!("{}: {}", it.name, it.value)).collect::<Vec<_>>().join("\n")
    }

    /// What the port is for is said where it is not for letters.
    pub(super) fn port_name(&self, page: &Page) -> String {
        match self.reads_by {
            Some(protocol) => page.t.fill("app_passwords.port_of", &[("protocol", protocol)]),
            None => page.t.of("app_passwords.port").to_owned(),
        }
    }

    fn plain(&self, page: &Page) -> Vec<Typed> {
        let t = page.t;
        let typed = |name: &str, value: &str| Typed { name: name.to_owned(), value: value.to_owned() };
        let mut fields = vec![typed(t.of("app_passwords.host"), &self.host)];
        if let Some(door) = &self.door {
            fields.push(typed(&self.port_name(page), &door.port));
            fields.push(typed(t.of("app_passwords.encryption"), &door.encryption));
        }
        fields.push(typed(t.of("app_passwords.user_name"), &self.user_name));
        fields
    }
}

/// Where an app password is used.
#[derive(Debug, Default, PartialEq, Eq)]
struct Doors {
    reads_by: Option<&'static str>,
    first: Option<Door>,
    second: Option<Door>,
    read_from: Vec<ReadFrom>,
}

impl Doors {
    /// Those for letters come first, where it may send.
    fn of(mail: &MailDoors, it: &AppPassword, application: &Application) -> Self {
        let read_from = read_from(mail, it, application);
        if it.limits.allowed.allow(Protocol::Smtp) {
            let mut doors = doors(mail.smtp, application).into_iter();
            return Self { reads_by: None, first: doors.next(), second: doors.next(), read_from };
        }
        let Some(ReadFrom { protocol, door, other_door }) = read_from.first().cloned() else {
            return Self::default();
        };
        Self { reads_by: Some(protocol), first: Some(door), second: other_door, read_from }
    }
}

/// For reading most applications expect TLS from the first byte, and IMAP.
fn read_from(mail: &MailDoors, it: &AppPassword, application: &Application) -> Vec<ReadFrom> {
    let all = [("IMAP", Protocol::Imap, mail.imap), ("POP3", Protocol::Pop3, mail.pop3)];
    let allowed = all.into_iter().filter(|(_, protocol, _)| it.limits.allowed.allow(*protocol));
    let read_from = |(protocol, _, ports)| {
        let mut doors = doors(ports, application).into_iter().rev();
        Some(ReadFrom { protocol, door: doors.next()?, other_door: doors.next() })
    };
    allowed.filter_map(read_from).collect()
}

/// STARTTLS first: for letters it is what most applications expect.
fn doors(ports: Ports, application: &Application) -> Vec<Door> {
    let starttls = ports.starttls.map(|port| (port, &application.starttls));
    let tls = ports.tls.map(|port| (port, &application.tls));
    let door = |(port, word): (u16, &String)| Door { port: port.to_string(), encryption: word.clone() };
    starttls.into_iter().chain(tls).map(door).collect()
}

fn filled(text: &str, values: &[(&str, &str)]) -> String {
    let (mut rest, mut filled) = (text, String::new());
    while let Some((before, behind)) = rest.split_once('{') {
        filled.push_str(before);
        let Some((name, after)) = behind.split_once('}') else { break };
        filled.push_str(values.iter().find(|(known, _)| *known == name).map_or("", |(_, value)| value));
        rest = after;
    }
    filled.push_str(rest);
    filled
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::page::app_passwords::application::Applications;

    #[test]
    fn ports_are_those_that_are_open_in_the_words_of_the_application() {
        let ports = |starttls, tls| Ports { starttls, tls };
        let door = |port: &str, word: &str| Door { port: port.to_owned(), encryption: word.to_owned() };
        let (lamplight, generic) =
            (Applications::embedded().find("lamplight").unwrap(), Application::generic());
        for (ports, application, want) in [
            (ports(Some(587), Some(465)), generic, vec![door("587", "STARTTLS"), door("465", "SSL/TLS")]),
            (ports(Some(2525), None), lamplight, vec![door("2525", "TLS")]),
            (ports(None, Some(465)), generic, vec![door("465", "SSL/TLS")]),
            (ports(None, None), generic, vec![]),
        ] {
            assert_eq!(doors(ports, application), want);
        }
    }

    #[test]
    fn values_are_filled_in_once() {
        let values = [("name", "{host}"), ("host", "mail.example")];
        assert_eq!(filled("{name} at {host}, {unknown}.", &values), "{host} at mail.example, .");
    }
}
