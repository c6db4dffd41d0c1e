//! A session that is signed in.

use gatepost_core::Phase;
use gatepost_net::Connection;
use gatepost_wire::imap::{
    Capabilities, ClientCommand, Fetched, Folder, NumberSet, Response, ResponseError, SpecialUse, Wanted,
};
use gatepost_wire::message::Sought;
use tokio::io::AsyncWrite;

use super::dialogue::{Dialogue, Step, garbled};
use super::expect_ok;
use crate::endpoint::Endpoint;
use crate::error::{NotTheProtocol, UpstreamError};

/// The longest header that is read, in octets.
const HEADER_BYTES: u64 = 256 * 1024;
/// The most folders that are kept of a mailbox.
const FOLDERS: usize = 10_000;
/// How many messages that a search has found are looked at, newest first.
const LOOKED_AT: usize = 5;
/// Where a message is looked for when it is not in INBOX: Gmail files a letter to oneself under "All Mail". Junk comes first,
/// because what lies there may lie under all mail as well, and that it is taken for junk is worth knowing.
const ELSEWHERE: [SpecialUse; 3] = [SpecialUse::Junk, SpecialUse::All, SpecialUse::Sent];

/// A signed-in session. It serves one credential and is never handed on (MP-7).
///
/// After an error other than [`UpstreamError::Refused`] it is of no use; drop it.
pub struct ImapSession {
    dialogue: Dialogue,
    endpoint: Endpoint,
    capabilities: Capabilities,
}

/// A folder that has been opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OpenFolder {
    /// Messages in it, as the server says.
    pub n_messages: u32,
    /// What unique ids are good for: another one, and they name other messages (RFC 9051 §2.3.1.1).
    pub uid_validity: Option<u32>,
    /// The next unique id.
    pub uid_next: Option<u32>,
}

/// Where a message was found. Its folder is open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Its folder.
    pub folder: String,
    /// What the folder is for, if it is not INBOX. A copy among sent mail proves that the mailbox can be read, and not that
    /// anything has arrived.
    pub special_use: Option<SpecialUse>,
    /// Its unique id there.
    pub uid: u32,
}

impl ImapSession {
    pub(super) const fn new(dialogue: Dialogue, endpoint: Endpoint, capabilities: Capabilities) -> Self {
        Self { dialogue, endpoint, capabilities }
    }

    /// What the server can do, as it said after signing in.
    #[must_use]
    pub const fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    /// The connection, for whoever passes on what is said over it, with what the server can do. What the server has said behind
    /// its last answer lies in it.
    #[must_use]
    pub fn into_connection(self) -> (Connection, Capabilities) {
        (self.dialogue.channel.connection, self.capabilities)
    }

    /// The server.
    #[must_use]
    pub const fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// TLS version and cipher suite; none if the account has no encryption.
    #[must_use]
    pub fn tls_description(&self) -> Option<String> {
        self.dialogue.channel.connection.tls_description()
    }

    /// What the server wants people to read: raw and hostile. Shown, if at all, as the server's words (MP-3).
    #[must_use]
    pub fn alerts(&self) -> &[Vec<u8>] {
        &self.dialogue.alerts
    }

    /// Tells the server who we are, where it wants to know (RFC 2971): name and version, nothing of this machine. Some providers
    /// let no program read that does not say so. What it makes of it does not matter.
    pub(super) async fn introduce(&mut self) -> Result<(), UpstreamError> {
        if !self.capabilities.has("ID") {
            return Ok(());
        }
        let introduction = ClientCommand::Id("Gatepost", env!("CARGO_PKG_VERSION"));
        match self.dialogue.done(&introduction, Phase::Upkeep, |_| {}).await.map(drop) {
            Ok(()) | Err(UpstreamError::Refused { .. }) => Ok(()),
            Err(other) => Err(other),
        }
    }

    /// Opens INBOX.
    pub async fn select_inbox(&mut self) -> Result<OpenFolder, UpstreamError> {
        self.select("INBOX").await
    }

    /// Opens a folder, whose name is as the server said it.
    pub async fn select(&mut self, folder: &str) -> Result<OpenFolder, UpstreamError> {
        let mut open = OpenFolder::default();
        self.run(&ClientCommand::Select(folder), |response| match response {
            Response::Exists(n_messages) => open.n_messages = n_messages,
            Response::Status(status) => {
                let number = |name: &str| {
                    let code = status.code.as_ref().filter(|it| it.name == name);
                    code.and_then(|it| it.number()).and_then(|it| u32::try_from(it).ok())
                };
                open.uid_validity = number("UIDVALIDITY").or(open.uid_validity);
                open.uid_next = number("UIDNEXT").or(open.uid_next);
            }
            _ => {}
        })
        .await?;
        Ok(open)
    }

    /// All folders, at most 10,000.
    pub async fn folders(&mut self) -> Result<Vec<Folder>, UpstreamError> {
        let mut folders = Vec::new();
        self.run(&ClientCommand::List, |response| {
            if let Response::Folder(folder) = response
                && folders.len() < FOLDERS
            {
                folders.push(folder);
            }
        })
        .await?;
        Ok(folders)
    }

    /// Looks for a message in INBOX, then in the folders for junk, for all and for sent mail. The folder where it was found
    /// stays open.
    pub async fn find(&mut self, sought: &Sought) -> Result<Option<Found>, UpstreamError> {
        if let Some(uid) = self.find_in("INBOX", sought).await? {
            return Ok(Some(Found { folder: "INBOX".to_owned(), special_use: None, uid }));
        }
        let folders = self.folders().await?;
        for wanted in ELSEWHERE {
            let Some(folder) = folders.iter().find(|it| it.is_selectable && it.special_use == Some(wanted))
            else {
                continue;
            };
            match self.find_in(&folder.name, sought).await {
                Ok(None) => {}
                Ok(Some(uid)) => {
                    return Ok(Some(Found { folder: folder.name.clone(), special_use: Some(wanted), uid }));
                }
                // A folder that is listed and cannot be opened or searched does not hold the message, as far as we can know.
                Err(UpstreamError::Refused { reply, .. }) if !reply.is_farewell() => {}
                Err(UpstreamError::NotSayable) => {}
                Err(other) => return Err(other),
            }
        }
        Ok(None)
    }

    async fn find_in(&mut self, folder: &str, sought: &Sought) -> Result<Option<u32>, UpstreamError> {
        self.select(folder).await?;
        self.find_in_open(sought).await
    }

    /// The unique id of a message in the open folder.
    pub async fn find_in_open(&mut self, sought: &Sought) -> Result<Option<u32>, UpstreamError> {
        // The newest few: a server looks for the text anywhere in the field, so others may be found too.
        let mut newest: Vec<u32> = Vec::new();
        self.run(&ClientCommand::Find(sought), |response| {
            if let Response::Search(uids) = response {
                newest.extend(uids);
                newest.sort_unstable_by(|one, other| other.cmp(one));
                newest.truncate(LOOKED_AT);
            }
        })
        .await?;
        for uid in newest {
            if self.header(uid).await?.is_some_and(|header| sought.is_in(&header)) {
                return Ok(Some(uid));
            }
        }
        Ok(None)
    }

    /// Flags, date of arrival and size of a message in the open folder; none if it is not there.
    pub async fn summary(&mut self, uid: u32) -> Result<Option<Fetched>, UpstreamError> {
        let mut found = None;
        self.run(&ClientCommand::Fetch(NumberSet::one(uid), Wanted::Summary), |response| match response {
            Response::Fetch(fetched) if fetched.uid == Some(uid) => found = Some(fetched),
            _ => {}
        })
        .await?;
        Ok(found)
    }

    /// The header of a message in the open folder; none if it is not there. The message stays unseen.
    pub async fn header(&mut self, uid: u32) -> Result<Option<Vec<u8>>, UpstreamError> {
        let mut header = Vec::new();
        let found = self.text(uid, Wanted::Header, HEADER_BYTES, &mut header).await?;
        Ok(found.map(|_| header))
    }

    /// A whole message of the open folder into `sink`, at most so many octets; gives how many there were, none if it is not
    /// there. The message stays unseen. What `sink` got counts only once this has come to a good end.
    pub async fn fetch(
        &mut self,
        uid: u32,
        at_most: u64,
        sink: &mut (impl AsyncWrite + Unpin),
    ) -> Result<Option<u64>, UpstreamError> {
        self.text(uid, Wanted::Whole, at_most, sink).await
    }

    async fn text(
        &mut self,
        uid: u32,
        wanted: Wanted,
        at_most: u64,
        sink: &mut (impl AsyncWrite + Unpin),
    ) -> Result<Option<u64>, UpstreamError> {
        let phase = Phase::Mailbox;
        let other_message = || UpstreamError::Protocol { phase, source: NotTheProtocol::OtherMessage };
        let mut talk = self.dialogue.say(&ClientCommand::Fetch(NumberSet::one(uid), wanted), phase).await?;
        let mut n_bytes = None;
        loop {
            match self.dialogue.step_into(&mut talk, at_most, sink).await? {
                Step::Data(Response::Fetch(Fetched { uid: of, lifted_bytes, text, .. })) => {
                    let text = match (lifted_bytes, text) {
                        // News about flags, of this message or another.
                        (None, None) => continue,
                        (Some(_), _) => None,
                        (None, text) => text,
                    };
                    // Texts of others would be in the sink now, or a second one of this.
                    if of != Some(uid) || n_bytes.is_some() {
                        return Err(other_message());
                    }
                    if let Some(text) = &text {
                        if text.len() as u64 > at_most {
                            return Err(UpstreamError::Protocol {
                                phase,
                                source: NotTheProtocol::MessageTooLarge,
                            });
                        }
                        let kept = tokio::io::AsyncWriteExt::write_all(sink, text).await;
                        kept.map_err(UpstreamError::NotKept)?;
                    }
                    n_bytes = lifted_bytes.or(text.map(|it| it.len() as u64));
                }
                Step::Data(_) => {}
                Step::Continue(_) => return Err(garbled(phase, ResponseError::NotAResponse)),
                Step::End(status) => {
                    expect_ok(status, phase)?;
                    return Ok(n_bytes);
                }
            }
        }
    }

    /// Marks a message of the open folder as seen, and removes it where the server can remove this one alone (RFC 4315);
    /// elsewhere it stays marked as deleted, because EXPUNGE would take others along.
    pub async fn mark_seen_and_delete(&mut self, uid: u32) -> Result<(), UpstreamError> {
        let set = NumberSet::one(uid);
        self.run(&ClientCommand::AddFlags(set.clone(), &["\\Seen", "\\Deleted"]), |_| {}).await?;
        if self.capabilities.has("UIDPLUS") {
            self.run(&ClientCommand::UidExpunge(set), |_| {}).await?;
        }
        Ok(())
    }

    /// Ends the session.
    pub async fn logout(self) {
        self.dialogue.logout().await;
    }

    /// A command about the mailbox.
    async fn run(
        &mut self,
        command: &ClientCommand<'_>,
        each: impl FnMut(Response),
    ) -> Result<(), UpstreamError> {
        self.dialogue.done(command, Phase::Mailbox, each).await.map(drop)
    }
}
