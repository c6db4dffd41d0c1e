//! What a command can ask of the server. The words are read by the same version of the program that wrote them.

use std::fmt;

use gatepost_core::SecretText;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use zeroize::Zeroize as _;

/// What crosses the socket: an order, and whose things it is about.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// Name of the organisation; none where there is only one.
    pub organisation: Option<String>,
    /// What to do.
    pub order: Order,
}

impl From<Order> for Request {
    fn from(order: Order) -> Self {
        Self { organisation: None, order }
    }
}

/// One order. Ids and addresses travel as text and are checked again where they arrive.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Order {
    /// Look at database, keys, certificate and providers; an item for each finding. Names the text of the configuration that is
    /// looked at beside.
    Check(u64),
    /// Connect a mailbox without asking its provider.
    AddAccount(Box<NewAccount>),
    /// Begin to connect a mailbox with the password that is given.
    BeginPassword(Box<NewAccount>),
    /// Begin to connect a mailbox by signing in on the provider's page; the answer says where that is.
    BeginSignIn(Box<NewAccount>),
    /// Begin to sign in again to a mailbox; the answer says how.
    SignInAgain(Box<SigningInAgain>),
    /// The address that the provider's page led to.
    AnswerSignIn {
        /// Which sign-in.
        id: String,
        /// All of the address.
        pasted: PasswordOnTheWay,
    },
    /// A password, for a mailbox that is signed in to again.
    AnswerPassword {
        /// Which sign-in.
        id: String,
        /// The password.
        password: PasswordOnTheWay,
    },
    /// Check what was begun and make it an account, or the account's; an item for each step, as it is taken.
    FinishSignIn(String),
    /// All mail accounts, an item each.
    ListAccounts,
    /// One mail account, by address.
    ShowAccount(String),
    /// Change what is given of one.
    EditAccount(Box<EditedAccount>),
    /// Make it a default.
    MakeDefault {
        /// Which one, by address.
        address: String,
        /// Whose.
        serves: Served,
    },
    /// Sign in at its provider; an item for each step, as it is taken.
    CheckAccount {
        /// Which one.
        address: String,
        /// Whether it sends a letter to itself and looks for it.
        sends_letter: bool,
    },
    /// Send nothing by it until it is resumed.
    PauseAccount(String),
    /// Let it go on.
    ResumeAccount(String),
    /// What removing it would end.
    ShowRemoval(String),
    /// Remove it.
    RemoveAccount(String),
    /// Make an app password.
    CreateAppPassword(NewAppPassword),
    /// All app passwords, an item each.
    ListAppPasswords,
    /// End one, by id.
    RevokeAppPassword(String),
    /// Enter an application that is registered at an OAuth service.
    AddOAuthClient(Box<NewOAuthClient>),
    /// All OAuth services with the application of each, an item each.
    ListOAuthClients,
    /// Use an application no more.
    RemoveOAuthClient {
        /// Word of the service.
        service: String,
        /// The installation's, not the organisation's own.
        installation: bool,
    },
    /// How to register one.
    GuideOAuthClient {
        /// Word of the service.
        service: String,
        /// Word of the kind; none for the one that suits.
        kind: Option<String>,
    },
    /// Invite a person.
    AddPerson(NewPerson),
    /// All people, an item each.
    ListPeople,
    /// Sign a person out everywhere, by address.
    DisablePerson(String),
    /// Let a person sign in again, by address.
    EnablePerson(String),
    /// Turn a person's two-step verification off, by address.
    ResetTwoStep(String),
    /// Make a link with which a person chooses a password, by address.
    ResetPassword(String),
    /// Letters in these states (all if empty), the newest `limit`, an item each.
    ListLetters {
        /// Words of the states.
        states: Vec<String>,
        /// How many.
        limit: Option<u64>,
    },
    /// One letter, by id.
    ShowLetter(String),
    /// By which account a letter of this login would leave.
    ExplainLetter(Target),
    /// Try it at once.
    RetryLetter(String),
    /// Keep it back.
    HoldLetter(String),
    /// Let it go.
    ReleaseLetter(String),
    /// Never send the rest of it.
    CancelLetter(String),
}

/// A mailbox to connect.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewAccount {
    /// Word of the provider.
    pub provider: String,
    /// Address of the mailbox.
    pub address: String,
    /// What people here call it.
    pub short_name: String,
    /// What recipients see.
    pub author_name: String,
    /// What to sign in as.
    pub user_name: String,
    /// Server for sending; none for a provider that is known.
    pub smtp: Option<Server>,
    /// Server for reading.
    pub imap: Option<Server>,
    /// Server for fetching.
    pub pop3: Option<Server>,
    /// The mailbox's password; none where somebody signs in on the provider's page.
    pub password: Option<PasswordOnTheWay>,
}

/// A mailbox to sign in to again; what is absent stays.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SigningInAgain {
    /// Which one, by address.
    pub address: String,
    /// On the provider's page, also where a password was used before.
    pub on_page: bool,
    /// With a password, also where somebody signed in on the provider's page before.
    pub with_password: bool,
    /// What to sign in as.
    pub user_name: Option<String>,
    /// Server for sending.
    pub smtp: Option<Server>,
    /// Server for reading; with this or the next one, both are as given.
    pub imap: Option<Server>,
    /// Server for fetching.
    pub pop3: Option<Server>,
}

/// What changes of a mail account; what is absent stays.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EditedAccount {
    /// Which one.
    pub address: String,
    /// What people here call it.
    pub short_name: Option<String>,
    /// What recipients see.
    pub author_name: Option<String>,
    /// What to sign in as.
    pub user_name: Option<String>,
    /// The mailbox to open.
    pub opens: Option<String>,
    /// All further addresses that letters may come from.
    pub send_as: Option<Vec<String>>,
    /// Whom it serves.
    pub serves: Option<Served>,
    /// Whether its letters wait once it is gone.
    pub never_falls_back: Option<bool>,
}

/// Whom a mail account serves, or whose default it is.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Served {
    /// Everybody.
    Organisation,
    /// A location, by name.
    Location(String),
    /// A person, by address.
    Person(String),
}

/// A server of a provider.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Server {
    /// Name or address, without brackets.
    pub host: String,
    /// Port.
    pub port: u16,
    /// Word of the encryption: starttls, implicit, none.
    pub tls: String,
}

/// An app password to make.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewAppPassword {
    /// Whose login it is for.
    pub target: Target,
    /// Which application or device it is for.
    pub name: String,
    /// Words of the doors it opens.
    pub allow: Vec<String>,
    /// Networks it works from; anywhere if empty.
    pub networks: Vec<String>,
    /// How long it works.
    pub expires_after_days: Option<u32>,
    /// Whether letters with bare LF are repaired.
    pub repair_line_ends: bool,
}

/// An application that is registered at an OAuth service.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewOAuthClient {
    /// Word of the service.
    pub service: String,
    /// Its id there.
    pub client_id: String,
    /// Its secret there.
    pub secret: Option<PasswordOnTheWay>,
    /// The tenant it is registered in.
    pub tenant: Option<String>,
    /// Word of the kind; none for the one that suits.
    pub kind: Option<String>,
    /// The provider has reviewed it.
    pub verified: bool,
    /// For the whole installation.
    pub installation: bool,
}

/// A person to invite.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewPerson {
    /// The address they sign in with.
    pub address: String,
    /// What people call them.
    pub name: String,
    /// Word of the role.
    pub role: String,
    /// Name of the location they work at.
    pub location: Option<String>,
}

/// What a login points at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// A mail account, by address.
    Account(String),
    /// A person, by address.
    Person(String),
    /// A location, by name.
    Location(String),
}

/// A secret that crosses the socket, from the command to the server: readable to the two ends alone.
pub struct PasswordOnTheWay(pub SecretText);

impl fmt::Debug for PasswordOnTheWay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

impl Serialize for PasswordOnTheWay {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.reveal())
    }
}

impl<'de> Deserialize<'de> for PasswordOnTheWay {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self(SecretText::new(text)))
    }
}

impl Request {
    /// As one line for the socket. The caller wipes it.
    pub(super) fn to_line(&self) -> serde_json::Result<Vec<u8>> {
        let mut line = serde_json::to_vec(self)?;
        line.push(b'\n');
        Ok(line)
    }

    /// From the line that came over the socket, which is wiped.
    pub(super) fn from_line(mut line: Vec<u8>) -> serde_json::Result<Self> {
        let request = serde_json::from_slice(&line);
        line.zeroize();
        request
    }
}
