//! Where the master key comes from. It is never in the database and never on a command line (VA-3).

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use gatepost_core::World;
use gatepost_vault::{Key, MasterKey};
use rustix::fs::{CWD, RenameFlags, renameat_with};
use zeroize::{Zeroize as _, Zeroizing};

use crate::config::{KeyPlace, MASTER_KEY_VARIABLE};
use crate::user;

/// Name of the credential that a unit hands over with `LoadCredential=gatepost.key:…`.
const CREDENTIAL: &str = "gatepost.key";

/// More than any key and its line end.
const MOST_BYTES: u64 = 4096;

/// Why there is no master key.
#[derive(Debug, thiserror::Error)]
pub enum MasterKeyError {
    /// No source was named.
    #[error(
        "no master key is configured. Set master_key_file, or run: gatepost init --config FILE --admin EMAIL"
    )]
    NotConfigured,
    /// The file is not there.
    #[error("the master key {} is missing. Put it back from where you keep its copy; without it nothing stored can be read", .0.display())]
    Missing(PathBuf),
    /// The file cannot be read.
    #[error("cannot read the master key {}: {source}. Give it to user {user}: chown {user} {0}", .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Who runs this.
        user: String,
        /// The system's reason.
        source: io::Error,
    },
    /// The mode is wider than 0600.
    #[error("the master key {} can be read by others (mode {mode:04o}). Run: chmod 600 {0}", .path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// Whoever owns the file can change its mode and read it.
    #[error("the master key {} belongs to user {owner}, and this command runs as {me}. Run: chown {me} {0}", .path.display())]
    OtherUser {
        /// The file.
        path: PathBuf,
        /// Its owner.
        owner: String,
        /// Who runs this.
        me: String,
    },
    /// A folder, a device, a socket.
    #[error("the master key {} is neither a file nor a pipe. Correct master_key_file", .0.display())]
    NotAFile(PathBuf),
    /// What was read is no key.
    #[error("{source_name} is not a master key: it must be 64 hexadecimal digits. Put the right one back")]
    NotAKey {
        /// Where it was read from.
        source_name: String,
    },
    /// The command failed.
    #[error("master_key_command {program}: {reason}. Run it by hand to see what it says")]
    Command {
        /// The program.
        program: String,
        /// What happened.
        reason: String,
    },
    /// A key is never overwritten: it may be the only one that opens some database.
    #[error("there is a master key already at {}. Keep it, or name another with master_key_file", .0.display())]
    Exists(PathBuf),
    /// The new key could not be stored.
    #[error("cannot write the master key {}: {source}. Choose a folder that this user may write in", .path.display())]
    CannotWrite {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
}

/// A master key, and whether it came from a place that others can look at.
pub struct Found {
    /// The key.
    pub key: MasterKey,
    /// Whether to warn that it came from the environment.
    pub is_from_environment: bool,
}

/// Reads the master key from where the settings say, else from a credential of systemd, else from the environment.
pub fn read(place: Option<&KeyPlace>) -> Result<Found, MasterKeyError> {
    let safe = |key| Found { key, is_from_environment: false };
    match place {
        Some(KeyPlace::File(path)) => return read_file(path).map(safe),
        Some(KeyPlace::Command(words)) => return read_command(words).map(safe),
        None => {}
    }
    if let Some(folder) = std::env::var_os("CREDENTIALS_DIRECTORY") {
        let path = Path::new(&folder).join(CREDENTIAL);
        if path.exists() {
            return read_credential(&path).map(safe);
        }
    }
    let text = Zeroizing::new(std::env::var(MASTER_KEY_VARIABLE).map_err(|_| MasterKeyError::NotConfigured)?);
    let key = understand(text.as_bytes(), || format!("the environment variable {MASTER_KEY_VARIABLE}"))?;
    Ok(Found { key, is_from_environment: true })
}

fn read_file(path: &Path) -> Result<MasterKey, MasterKeyError> {
    let unreadable = |source: io::Error| match source.kind() {
        io::ErrorKind::NotFound => MasterKeyError::Missing(path.to_owned()),
        _ => MasterKeyError::Unreadable { path: path.to_owned(), user: user::own_name(), source },
    };
    // The open file is what is judged, so that nobody can put another one in its place in between.
    let file = File::open(path).map_err(unreadable)?;
    let metadata = file.metadata().map_err(unreadable)?;
    if metadata.is_file() {
        let mode = metadata.mode() & 0o7777;
        if metadata.uid() != rustix::process::geteuid().as_raw() {
            let (owner, me) = (user::name_of(metadata.uid()), user::own_name());
            return Err(MasterKeyError::OtherUser { path: path.to_owned(), owner, me });
        }
        if mode & !0o600 != 0 {
            return Err(MasterKeyError::Open { path: path.to_owned(), mode });
        }
    } else if !metadata.file_type().is_fifo() {
        return Err(MasterKeyError::NotAFile(path.to_owned()));
    }
    read_open(file, path, unreadable)
}

/// systemd shows a credential to this service alone, but under a mode and an owner of its own.
fn read_credential(path: &Path) -> Result<MasterKey, MasterKeyError> {
    let unreadable =
        |source| MasterKeyError::Unreadable { path: path.to_owned(), user: user::own_name(), source };
    read_open(File::open(path).map_err(unreadable)?, path, unreadable)
}

fn read_open(
    file: File,
    path: &Path,
    unreadable: impl Fn(io::Error) -> MasterKeyError,
) -> Result<MasterKey, MasterKeyError> {
    // Room for all that is read, so that the buffer does not move and leave a copy behind.
    let mut text = Zeroizing::new(Vec::with_capacity(MOST_BYTES as usize + 1));
    file.take(MOST_BYTES).read_to_end(&mut text).map_err(unreadable)?;
    understand(&text, || path.display().to_string())
}

fn read_command(words: &[String]) -> Result<MasterKey, MasterKeyError> {
    let (program, args) =
        words.split_first().map_or(("", &[][..]), |(program, args)| (program.as_str(), args));
    let failed = |reason: String| MasterKeyError::Command { program: program.to_owned(), reason };
    let mut command = Command::new(program);
    let out = command.args(args).stdin(Stdio::null()).stderr(Stdio::inherit()).output();
    let mut out = out.map_err(|error| failed(error.to_string()))?;
    let key = if out.status.success() {
        understand(&out.stdout, || format!("what master_key_command {program} printed"))
    } else {
        Err(failed(out.status.to_string()))
    };
    out.stdout.zeroize();
    key
}

/// 64 hexadecimal digits, with white space around them.
fn understand(text: &[u8], source_name: impl FnOnce() -> String) -> Result<MasterKey, MasterKeyError> {
    let mut bytes = Zeroizing::new([0; Key::BYTES]);
    match decode(text.trim_ascii(), &mut bytes) {
        Some(()) => Ok(MasterKey::new(Key::from_bytes(&bytes))),
        None => Err(MasterKeyError::NotAKey { source_name: source_name() }),
    }
}

fn decode(digits: &[u8], bytes: &mut [u8; Key::BYTES]) -> Option<()> {
    let value = |digit: &u8| char::from(*digit).to_digit(16);
    let (pairs, rest) = digits.as_chunks::<2>();
    if pairs.len() != Key::BYTES || !rest.is_empty() {
        return None;
    }
    for ([high, low], byte) in pairs.iter().zip(bytes) {
        *byte = u8::try_from(value(high)? << 4 | value(low)?).ok()?;
    }
    Some(())
}

/// Makes a new key at `path`, mode 0600: all of it or nothing, and never over another.
pub fn create(path: &Path, world: &World) -> Result<MasterKey, MasterKeyError> {
    let bytes = Zeroizing::new(world.random::<{ Key::BYTES }>());
    let mut text = Zeroizing::new(String::with_capacity(2 * Key::BYTES + 1));
    for byte in *bytes {
        for digit in [byte >> 4, byte & 0x0f] {
            text.push(char::from_digit(u32::from(digit), 16).expect("four bits make one digit"));
        }
    }
    text.push('\n');
    store(path, text.as_bytes()).map_err(|source| match source.kind() {
        io::ErrorKind::AlreadyExists => MasterKeyError::Exists(path.to_owned()),
        _ => MasterKeyError::CannotWrite { path: path.to_owned(), source },
    })?;
    Ok(MasterKey::new(Key::from_bytes(&bytes)))
}

fn store(path: &Path, text: &[u8]) -> io::Result<()> {
    let folder = path.parent().filter(|it| !it.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".new-{}", std::process::id()));
    let unfinished = folder.join(name);
    let written =
        OpenOptions::new().write(true).create_new(true).mode(0o600).open(&unfinished).and_then(|mut file| {
            file.write_all(text)?;
            file.sync_all()?;
            Ok(renameat_with(CWD, &unfinished, CWD, path, RenameFlags::NOREPLACE)?)
        });
    if written.is_err() {
        // What is left over would be half a key under a name that nobody looks for.
        let _ = std::fs::remove_file(&unfinished);
    }
    written?;
    // The name is on the disk only when its folder is.
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use gatepost_testkit::{fresh_folder, world};

    use super::*;

    fn file(place: &Path) -> KeyPlace {
        KeyPlace::File(place.to_owned())
    }

    fn refused(place: &KeyPlace) -> String {
        read(Some(place)).err().expect("it is refused").to_string()
    }

    #[test]
    fn a_created_key_is_private_whole_and_read_back() {
        let folder = fresh_folder();
        let path = folder.path().join("gatepost.key");
        let created = create(&path, &world().0).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().mode() & 0o7777, 0o600);
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.len() == 65 && text.trim().bytes().all(|b| b.is_ascii_hexdigit()));
        let found = read(Some(&file(&path))).ok().unwrap();
        assert_eq!(found.key.id(), created.id());
        assert!(!found.is_from_environment);
    }

    #[test]
    fn a_key_is_never_overwritten_and_nothing_is_left_over() {
        let folder = fresh_folder();
        let path = folder.path().join("gatepost.key");
        std::fs::write(&path, "precious").unwrap();
        let error = create(&path, &world().0).err().unwrap().to_string();
        assert!(error.starts_with("there is a master key already at "), "{error}");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "precious");
        assert_eq!(folder.path().read_dir().unwrap().count(), 1);
        let error = create(&folder.path().join("gone/key"), &world().0).err().unwrap().to_string();
        assert!(error.starts_with("cannot write the master key "), "{error}");
    }

    #[test]
    fn only_modes_0400_and_0600_are_accepted() {
        let folder = fresh_folder();
        let path = folder.path().join("key");
        let _ = create(&path, &world().0).unwrap();
        for mode in 0..=0o777 {
            std::fs::set_permissions(&path, PermissionsExt::from_mode(mode)).unwrap();
            let outcome = read(Some(&file(&path)));
            if mode & 0o177 == 0 && (mode & 0o400 != 0 || rustix::process::geteuid().is_root()) {
                assert!(outcome.is_ok(), "{mode:o}");
            } else {
                assert!(outcome.is_err(), "{mode:o}");
            }
        }
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o644)).unwrap();
        let shown = path.display();
        let want =
            format!("the master key {shown} can be read by others (mode 0644). Run: chmod 600 {shown}");
        assert_eq!(refused(&file(&path)), want);
    }

    #[test]
    fn the_key_of_another_user_is_refused() {
        if !rustix::process::geteuid().is_root() {
            // Others cannot give files away; what they find in /etc is root's, and refused for its mode or owner.
            assert!(read(Some(&file(Path::new("/etc/passwd")))).is_err());
            return;
        }
        let folder = fresh_folder();
        let path = folder.path().join("key");
        let _ = create(&path, &world().0).unwrap();
        std::os::unix::fs::chown(&path, Some(1), None).unwrap();
        assert!(refused(&file(&path)).contains("belongs to user daemon"));
    }

    #[test]
    fn what_is_no_key_is_refused_without_being_shown() {
        let folder = fresh_folder();
        let path = folder.path().join("key");
        for text in ["", "hunter2", &"ab".repeat(31), &"ab".repeat(33), &"xy".repeat(32), &"+a".repeat(32)] {
            std::fs::write(&path, text).unwrap();
            std::fs::set_permissions(&path, PermissionsExt::from_mode(0o600)).unwrap();
            let error = refused(&file(&path));
            assert!(error.contains("64 hexadecimal digits"), "{error}");
            assert!(text.is_empty() || !error.contains(text), "{error}");
        }
        assert!(refused(&file(folder.path())).contains("neither a file nor a pipe"));
        assert!(refused(&file(&folder.path().join("gone"))).contains("is missing"));
    }

    #[test]
    fn a_command_or_a_pipe_hands_the_key_over() {
        let folder = fresh_folder();
        let path = folder.path().join("key");
        let want = create(&path, &world().0).unwrap().id();
        let shown = path.display().to_string();
        let command = |words: &[&str]| KeyPlace::Command(words.iter().map(|it| (*it).to_owned()).collect());
        assert_eq!(read(Some(&command(&["cat", &shown]))).ok().unwrap().key.id(), want);
        assert!(refused(&command(&["false"])).contains("exit status: 1"));
        assert!(refused(&command(&["/gone/pass"])).contains("/gone/pass"));
        assert!(refused(&command(&["echo", "hunter2"])).contains("64 hexadecimal digits"));

        let pipe = folder.path().join("pipe");
        rustix::fs::mknodat(CWD, &pipe, rustix::fs::FileType::Fifo, 0o644.into(), 0).unwrap();
        let writer = std::thread::spawn({
            let pipe = pipe.clone();
            move || std::fs::write(pipe, std::fs::read(path).unwrap()).unwrap()
        });
        assert_eq!(read(Some(&file(&pipe))).ok().unwrap().key.id(), want, "a pipe has no mode to check");
        writer.join().unwrap();
    }
}
