//! All mailboxes, on disk and what is remembered of them.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use gatepost_core::{EmailAddress, World};
use gatepost_wire::sasl::Secret;

use super::credentials::{from_json, to_json};
use super::index::Index;
use super::summary::HEADER_AT_MOST;
use super::{Credentials, Incoming, MessageId, MessageSummary, Numbered, Verdict};
use crate::error::storage;
use crate::{SandboxError, durable};

/// The mailboxes of one sandbox. Every address is one; it gets a folder with its first message or its first own password.
pub(crate) struct Mailboxes {
    folder: PathBuf,
    incoming: PathBuf,
    world: World,
    known: Mutex<Known>,
    /// One at a time makes a folder or writes `mailbox.json`.
    changing: Mutex<()>,
}

#[derive(Default)]
struct Known {
    /// By [`EmailAddress::to_key`].
    by_address: BTreeMap<String, Mailbox>,
    last_id: Option<MessageId>,
}

struct Mailbox {
    address: EmailAddress,
    folder: PathBuf,
    credentials: Credentials,
    /// Oldest first.
    messages: Vec<MessageSummary>,
    index: Index,
}

/// A mailbox in the list of all.
pub(crate) struct MailboxOverview {
    pub(crate) address: EmailAddress,
    pub(crate) n_messages: usize,
    pub(crate) newest: Option<MessageSummary>,
}

impl Mailboxes {
    /// Opens `folder`, which is made if it is not there, and reads what it holds. Blocks.
    pub(crate) fn open(folder: &Path, world: &World) -> Result<Self, SandboxError> {
        let (mailboxes, incoming) = (folder.join("mailboxes"), folder.join("incoming"));
        for path in [&mailboxes, &incoming] {
            fs::create_dir_all(path).map_err(storage("create", path))?;
        }
        for left_over in read_folder(&incoming)? {
            fs::remove_file(&left_over).map_err(storage("remove", &left_over))?;
        }
        let mut known = Known::default();
        for path in read_folder(&mailboxes)? {
            if let Some(mailbox) = Mailbox::read(&path)? {
                known.last_id = known.last_id.max(mailbox.messages.last().map(|it| it.id));
                known.by_address.insert(mailbox.address.to_key(), mailbox);
            }
        }
        Ok(Self {
            folder: mailboxes,
            incoming,
            world: world.clone(),
            known: Mutex::new(known),
            changing: Mutex::default(),
        })
    }

    /// What `secret` proves about the owner of `address`.
    pub(crate) fn check(&self, address: &EmailAddress, secret: &Secret) -> Verdict {
        self.credentials(address).check(secret)
    }

    /// What opens a mailbox; nobody has to have used it.
    pub(crate) fn credentials(&self, address: &EmailAddress) -> Credentials {
        let known = self.known();
        known.by_address.get(&address.to_key()).map(|it| it.credentials.clone()).unwrap_or_default()
    }

    /// Changes what opens a mailbox, durably. Blocks.
    pub(crate) fn change<T>(
        &self,
        address: &EmailAddress,
        change: impl FnOnce(&mut Credentials) -> T,
    ) -> Result<T, SandboxError> {
        let _alone = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let folder = self.folder_of(address)?;
        let mut credentials = self.credentials(address);
        let changed = change(&mut credentials);
        write_record(&folder, address, &credentials)?;
        if let Some(mailbox) = self.known().by_address.get_mut(&address.to_key()) {
            mailbox.credentials = credentials;
        }
        Ok(changed)
    }

    /// Begins a message.
    pub(crate) async fn receive(&self) -> Result<Incoming, SandboxError> {
        let id = {
            let mut known = self.known();
            let id = MessageId::after(known.last_id, self.world.now());
            known.last_id = Some(id);
            id
        };
        Incoming::create(&self.incoming, id).await
    }

    /// Puts the message into the mailboxes of all `recipients`. On return it is durable in all of them.
    pub(crate) async fn deliver(
        self: &Arc<Self>,
        mut message: Incoming,
        recipients: Vec<EmailAddress>,
    ) -> Result<MessageId, SandboxError> {
        message.sync().await?;
        let mailboxes = self.clone();
        let linking = tokio::task::spawn_blocking(move || mailboxes.link(&message, &recipients));
        linking.await.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()))
    }

    fn link(&self, message: &Incoming, recipients: &[EmailAddress]) -> Result<MessageId, SandboxError> {
        let id = message.id();
        let head = read_start(message.path(), HEADER_AT_MOST).map_err(storage("read", message.path()))?;
        let summary = MessageSummary::read(id, &head, message.size_bytes());
        for recipient in recipients {
            let folder = {
                let _alone = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
                self.folder_of(recipient)?
            };
            let path = message_path(&folder, id);
            fs::hard_link(message.path(), &path).map_err(storage("write", &path))?;
            sync_folder(&folder)?;
        }
        let mut known = self.known();
        for recipient in recipients {
            if let Some(mailbox) = known.by_address.get_mut(&recipient.to_key()) {
                // Two messages may be accepted in another order than they began.
                let at = mailbox.messages.partition_point(|it| it.id < id);
                mailbox.messages.insert(at, summary.clone());
            }
        }
        Ok(id)
    }

    /// All mailboxes that exist, by address.
    pub(crate) fn overview(&self) -> Vec<MailboxOverview> {
        let known = self.known();
        let overview = |it: &Mailbox| MailboxOverview {
            address: it.address.clone(),
            n_messages: it.messages.len(),
            newest: it.messages.last().cloned(),
        };
        known.by_address.values().map(overview).collect()
    }

    /// The messages of one mailbox, oldest first.
    pub(crate) fn messages(&self, address: &EmailAddress) -> Vec<MessageSummary> {
        self.known().by_address.get(&address.to_key()).map(|it| it.messages.clone()).unwrap_or_default()
    }

    /// The summary and the file of one message.
    pub(crate) fn find_message(
        &self,
        address: &EmailAddress,
        id: MessageId,
    ) -> Option<(MessageSummary, PathBuf)> {
        let known = self.known();
        let mailbox = known.by_address.get(&address.to_key())?;
        let at = mailbox.messages.binary_search_by_key(&id, |it| it.id).ok()?;
        Some((mailbox.messages.get(at)?.clone(), message_path(&mailbox.folder, id)))
    }

    /// A mailbox as IMAP sees it; each message has a unique id, durably. Blocks.
    pub(crate) fn numbered(&self, address: &EmailAddress) -> Result<Numbered, SandboxError> {
        self.change_index(address, |_| ())
    }

    /// Sets flags, durably. Blocks.
    pub(crate) fn set_flags(
        &self,
        address: &EmailAddress,
        changes: &[(MessageId, Vec<String>)],
    ) -> Result<(), SandboxError> {
        self.change_index(address, |index| {
            changes.iter().for_each(|(id, flags)| index.set_flags(*id, flags));
        })
        .map(|_| ())
    }

    fn change_index(
        &self,
        address: &EmailAddress,
        change: impl FnOnce(&mut Index),
    ) -> Result<Numbered, SandboxError> {
        let _alone = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let folder = self.folder_of(address)?;
        let (messages, before) = match self.known().by_address.get(&address.to_key()) {
            Some(mailbox) => (mailbox.messages.clone(), mailbox.index.clone()),
            None => Default::default(),
        };
        let mut index = before.clone();
        // RFC 9051 §2.3.1.1: a folder that is made anew must not have the old figure; the time never comes back.
        index.update(&messages, u32::try_from(self.world.now().seconds()).unwrap_or(1));
        change(&mut index);
        if index != before {
            let path = folder.join(INDEX);
            durable::replace(&path, &index.to_json(), 0o600).map_err(storage("write", &path))?;
            if let Some(mailbox) = self.known().by_address.get_mut(&address.to_key()) {
                mailbox.index = index.clone();
            }
        }
        Ok(index.number(messages))
    }

    /// Removes messages from a mailbox, durably; those that are gone already are as good. Blocks.
    pub(crate) fn delete(&self, address: &EmailAddress, ids: &[MessageId]) -> Result<(), SandboxError> {
        let folder = match self.known().by_address.get(&address.to_key()) {
            Some(mailbox) => mailbox.folder.clone(),
            None => return Ok(()),
        };
        for id in ids {
            let path = message_path(&folder, *id);
            match fs::remove_file(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(storage("remove", &path)(error));
                }
                _ => {}
            }
        }
        sync_folder(&folder)?;
        if let Some(mailbox) = self.known().by_address.get_mut(&address.to_key()) {
            mailbox.messages.retain(|it| !ids.contains(&it.id));
        }
        Ok(())
    }

    /// The folder of a mailbox, made if this is its first use. To be called while `changing` is held. Blocks.
    fn folder_of(&self, address: &EmailAddress) -> Result<PathBuf, SandboxError> {
        if let Some(mailbox) = self.known().by_address.get(&address.to_key()) {
            return Ok(mailbox.folder.clone());
        }
        let name = u64::from_be_bytes(self.world.random());
        let folder = self.folder.join(format!("{name:016x}"));
        fs::create_dir(&folder).map_err(storage("create", &folder))?;
        write_record(&folder, address, &Credentials::default())?;
        sync_folder(&self.folder)?;
        let mailbox = Mailbox {
            address: address.clone(),
            folder: folder.clone(),
            credentials: Credentials::default(),
            messages: Vec::new(),
            index: Index::default(),
        };
        self.known().by_address.insert(address.to_key(), mailbox);
        Ok(folder)
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Mailbox {
    /// `None` for a folder that was being made when the sandbox was killed; it is removed.
    fn read(folder: &Path) -> Result<Option<Self>, SandboxError> {
        let path = folder.join(RECORD);
        let record = match fs::read(&path) {
            Ok(record) => record,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                // Only if it is empty or holds nothing but the record that was not finished.
                let _ = fs::remove_file(folder.join(NEW_RECORD));
                let _ = fs::remove_dir(folder);
                return Ok(None);
            }
            Err(error) => return Err(storage("read", &path)(error)),
        };
        let (address, credentials) =
            from_json(&record).ok_or_else(|| SandboxError::Damaged { path: path.clone() })?;
        let mut messages = Vec::new();
        for path in read_folder(folder)? {
            let Some(id) = message_id(&path) else { continue };
            let head = read_start(&path, HEADER_AT_MOST).map_err(storage("read", &path))?;
            let size_bytes = fs::metadata(&path).map_err(storage("read", &path))?.len();
            messages.push(MessageSummary::read(id, &head, size_bytes));
        }
        messages.sort_by_key(|it| it.id);
        let index = read_index(folder)?;
        Ok(Some(Self { address, folder: folder.to_owned(), credentials, messages, index }))
    }
}

const INDEX: &str = "imap.json";
const RECORD: &str = "mailbox.json";
const NEW_RECORD: &str = "mailbox.json.new";

fn read_index(folder: &Path) -> Result<Index, SandboxError> {
    let path = folder.join(INDEX);
    match fs::read(&path) {
        Ok(bytes) => Index::from_json(&bytes).ok_or(SandboxError::Damaged { path }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Index::default()),
        Err(error) => Err(storage("read", &path)(error)),
    }
}

fn message_path(folder: &Path, id: MessageId) -> PathBuf {
    folder.join(format!("{id}.eml"))
}

/// The message that a file holds, if it is one of ours.
fn message_id(path: &Path) -> Option<MessageId> {
    path.file_name()?.to_str()?.strip_suffix(".eml")?.parse().ok()
}

fn read_folder(path: &Path) -> Result<Vec<PathBuf>, SandboxError> {
    let entries = fs::read_dir(path).map_err(storage("read", path))?;
    let paths: io::Result<Vec<_>> = entries.map(|entry| entry.map(|it| it.path())).collect();
    paths.map_err(storage("read", path))
}

/// The first `most` octets of a file.
pub(crate) fn read_start(path: &Path, most: usize) -> io::Result<Vec<u8>> {
    let mut start = Vec::new();
    File::open(path)?.take(most as u64).read_to_end(&mut start)?;
    Ok(start)
}

/// Replaces `mailbox.json` whole.
fn write_record(
    folder: &Path,
    address: &EmailAddress,
    credentials: &Credentials,
) -> Result<(), SandboxError> {
    let path = folder.join(RECORD);
    durable::replace(&path, &to_json(address, credentials), 0o600).map_err(storage("write", &path))
}

fn sync_folder(path: &Path) -> Result<(), SandboxError> {
    durable::sync_folder(path).map_err(storage("sync", path))
}
