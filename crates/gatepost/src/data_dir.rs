//! The data folder: one user, one running program, on a disk that can be trusted and written.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::user;

/// A data folder that is this process' alone until dropped.
pub struct DataDir {
    path: PathBuf,
    _lock: File,
}

/// Why a folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DataDirError {
    /// Nobody ran `init` yet, or the setting is wrong.
    #[error("there is no folder {}. Run: gatepost init --config FILE --admin EMAIL, or correct data_dir", .0.display())]
    Missing(PathBuf),
    /// A file stands there.
    #[error("{} is not a folder. Choose another data_dir", .0.display())]
    NotAFolder(PathBuf),
    /// Files made by the wrong user would lock the service out of its own data.
    #[error("{} belongs to user {owner}, and this command runs as {me}. Run: sudo -u {owner} gatepost …", .path.display())]
    OtherUser {
        /// The folder.
        path: PathBuf,
        /// Its owner.
        owner: String,
        /// Who runs this.
        me: String,
    },
    /// Others could look at mail and at the control socket.
    #[error("{} is open to other users (mode {mode:04o}). Run: chmod 700 {0}", .path.display())]
    Open {
        /// The folder.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// Locks and syncs of network file systems cannot be relied on (QS-2).
    #[error("{} lies on a network file system ({kind}), where neither locks nor syncs can be relied on. Choose a data_dir on a local disk", .path.display())]
    NetworkFileSystem {
        /// The folder.
        path: PathBuf,
        /// Its kind.
        kind: &'static str,
    },
    /// The lock is taken.
    #[error("another Gatepost{} is using {}. Stop it first, or choose another data_dir", process(.pid), .path.display())]
    InUse {
        /// The folder.
        path: PathBuf,
        /// Whose lock it is, where that can be read.
        pid: Option<u32>,
    },
    /// Nothing can be written there.
    #[error("cannot write in {}: {reason}. {cure}", .path.display())]
    CannotWrite {
        /// The folder.
        path: PathBuf,
        /// In the system's words.
        reason: String,
        /// What to do.
        cure: &'static str,
    },
}

fn process(pid: &Option<u32>) -> String {
    pid.map(|pid| format!(" (process {pid})")).unwrap_or_default()
}

impl DataDir {
    /// Makes the folder if it is not there, mode 0700, and takes it.
    pub fn create(path: &Path) -> Result<Self, DataDirError> {
        make(path)?;
        Self::take(path)
    }

    /// Takes a folder that is there: checks who may use it and locks it.
    pub fn take(path: &Path) -> Result<Self, DataDirError> {
        inspect(path)?;
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false).mode(0o600);
        let mut file = options.open(path.join("lock")).map_err(|error| cannot_write(path, &error))?;
        if file.try_lock().is_err() {
            let mut text = String::new();
            let _ = (&file).take(20).read_to_string(&mut text);
            return Err(DataDirError::InUse { path: path.to_owned(), pid: text.trim().parse().ok() });
        }
        // Writing who holds it also proves that something can be written at all.
        file.set_len(0)
            .and_then(|()| file.rewind())
            .and_then(|()| writeln!(file, "{}", std::process::id()))
            .and_then(|()| file.sync_all())
            .map_err(|error| cannot_write(path, &error))?;
        Ok(Self { path: path.to_owned(), _lock: file })
    }

    /// As [`DataDir::take`], waiting at most `patience` for a command that has the folder for a moment.
    pub async fn take_soon(path: &Path, patience: Duration) -> Result<Self, DataDirError> {
        let started = Instant::now();
        loop {
            match Self::take(path) {
                Err(DataDirError::InUse { .. }) if started.elapsed() < patience => {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
                outcome => return outcome,
            }
        }
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// Makes the folder if it is not there, mode 0700.
pub(crate) fn make(path: &Path) -> Result<(), DataDirError> {
    let cannot_write = |error: io::Error| cannot_write(path, &error);
    if let Some(parent) = path.parent() {
        std::fs::create_dir_all(parent).map_err(cannot_write)?;
    }
    match DirBuilder::new().mode(0o700).create(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(cannot_write(error)),
        _ => Ok(()),
    }
}

/// Refuses what is not a folder of this user's own, closed to others, on a local disk. Changes nothing.
pub fn inspect(path: &Path) -> Result<(), DataDirError> {
    let metadata = std::fs::metadata(path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => DataDirError::Missing(path.to_owned()),
        _ => cannot_write(path, &error),
    })?;
    if !metadata.is_dir() {
        return Err(DataDirError::NotAFolder(path.to_owned()));
    }
    if metadata.uid() != rustix::process::geteuid().as_raw() {
        let (owner, me) = (user::name_of(metadata.uid()), user::own_name());
        return Err(DataDirError::OtherUser { path: path.to_owned(), owner, me });
    }
    let mode = metadata.mode() & 0o7777;
    if mode & 0o077 != 0 {
        return Err(DataDirError::Open { path: path.to_owned(), mode });
    }
    let kind = rustix::fs::statfs(path).ok().and_then(|it| network_file_system(it.f_type));
    match kind {
        Some(kind) => Err(DataDirError::NetworkFileSystem { path: path.to_owned(), kind }),
        None => Ok(()),
    }
}

/// Nothing can be written in the folder because the disk is full.
pub(crate) fn full(path: &Path) -> DataDirError {
    cannot_write(path, &io::ErrorKind::StorageFull.into())
}

fn cannot_write(path: &Path, error: &io::Error) -> DataDirError {
    let (reason, cure) = match error.kind() {
        io::ErrorKind::StorageFull => {
            ("no space left on device".to_owned(), "Free some space and start again")
        }
        io::ErrorKind::QuotaExceeded => {
            ("the user's quota is used up".to_owned(), "Free some space or raise the quota, and start again")
        }
        io::ErrorKind::ReadOnlyFilesystem => {
            ("the file system is read-only".to_owned(), "Mount it writable, or choose another data_dir")
        }
        io::ErrorKind::PermissionDenied => (
            "permission denied".to_owned(),
            "Make the folder as root, give it to this user with chown, and start again",
        ),
        _ => (error.to_string(), "Choose another data_dir, or mend this one"),
    };
    DataDirError::CannotWrite { path: path.to_owned(), reason, cure }
}

/// The name of a network file system by the number that statfs(2) gives it.
fn network_file_system(magic: i64) -> Option<&'static str> {
    match magic & 0xffff_ffff {
        0x6969 => Some("NFS"),
        0x517b | 0xff53_4d42 | 0xfe53_4d42 => Some("SMB"),
        0x0102_1997 => Some("9p"),
        0x00c3_6400 => Some("Ceph"),
        0x5346_414f | 0x6b41_4653 => Some("AFS"),
        0x7375_7245 => Some("Coda"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, chown};

    use gatepost_testkit::fresh_folder;

    use super::*;

    #[track_caller]
    fn refused(path: &Path, want: &str) {
        let got = DataDir::take(path).err().expect("it is refused").to_string();
        assert_eq!(got, want.replace("DIR", &path.display().to_string()));
    }

    #[test]
    fn a_new_folder_is_closed_to_others() {
        let folder = fresh_folder();
        let path = folder.path().join("a/b");
        let data = DataDir::create(&path).unwrap();
        assert_eq!(std::fs::metadata(data.path()).unwrap().mode() & 0o7777, 0o700);
        assert_eq!(std::fs::metadata(path.join("lock")).unwrap().mode() & 0o7777, 0o600);
    }

    #[test]
    fn a_folder_in_use_names_the_process_that_uses_it() {
        let folder = fresh_folder();
        let held = DataDir::take(folder.path()).unwrap();
        let me = std::process::id();
        refused(
            folder.path(),
            &format!(
                "another Gatepost (process {me}) is using DIR. Stop it first, or choose another data_dir"
            ),
        );
        drop(held);
        DataDir::take(folder.path()).unwrap();
    }

    #[tokio::test]
    async fn a_folder_in_use_for_a_moment_is_waited_for() {
        let folder = fresh_folder();
        let held = DataDir::take(folder.path()).unwrap();
        let waiting = DataDir::take_soon(folder.path(), Duration::from_secs(30));
        let (taken, ()) = tokio::join!(waiting, async { drop(held) });
        assert!(taken.is_ok());
    }

    #[test]
    fn what_is_missing_no_folder_or_open_to_others_is_refused_with_the_cure() {
        let folder = fresh_folder();
        refused(
            &folder.path().join("gone"),
            "there is no folder DIR. Run: gatepost init --config FILE --admin EMAIL, or correct data_dir",
        );
        let file = folder.path().join("file");
        std::fs::write(&file, "").unwrap();
        refused(&file, "DIR is not a folder. Choose another data_dir");
        std::fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o750)).unwrap();
        refused(folder.path(), "DIR is open to other users (mode 0750). Run: chmod 700 DIR");
    }

    #[test]
    fn the_folder_of_another_user_is_refused_with_the_cure() {
        let folder = fresh_folder();
        // Only root can give a folder away; everybody else has /root or / to look at.
        let path = if rustix::process::geteuid().is_root() {
            chown(folder.path(), Some(1), None).unwrap();
            folder.path()
        } else {
            Path::new("/")
        };
        let owner = user::name_of(std::fs::metadata(path).unwrap().uid());
        let me = user::own_name();
        refused(
            path,
            &format!(
                "DIR belongs to user {owner}, and this command runs as {me}. Run: sudo -u {owner} gatepost …"
            ),
        );
    }

    #[test]
    fn a_disk_that_cannot_be_written_is_explained() {
        for (kind, want) in [
            (
                io::ErrorKind::StorageFull,
                "cannot write in /d: no space left on device. Free some space and start again",
            ),
            (
                io::ErrorKind::ReadOnlyFilesystem,
                "cannot write in /d: the file system is read-only. Mount it writable, or choose another data_dir",
            ),
        ] {
            assert_eq!(cannot_write(Path::new("/d"), &kind.into()).to_string(), want);
        }
        // The kernel's own read-only file system.
        let got = DataDir::create(Path::new("/proc/gatepost")).err().unwrap().to_string();
        assert!(got.starts_with("cannot write in /proc/gatepost: "), "{got}");
    }

    #[test]
    fn network_file_systems_are_known_by_number() {
        assert_eq!(network_file_system(0x6969), Some("NFS"));
        assert_eq!(
            network_file_system(0xff53_4d42_u32 as i32 as i64),
            Some("SMB"),
            "signed on some machines"
        );
        for local in [0xef53, 0x5846_5342, 0x0102_1994, 0x9123_683e, 0x794c_7630] {
            assert_eq!(network_file_system(local), None, "ext4, XFS, tmpfs, Btrfs, overlayfs");
        }
    }
}
