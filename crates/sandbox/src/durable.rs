//! Small files that survive a kill at any moment.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

/// Replaces a file whole: what is read is the old one or the new one. What is half-written lies beside it, with `.new` at
/// the end of its name. On return it is durable. Blocks.
pub(crate) fn replace(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    let mut new = path.as_os_str().to_owned();
    new.push(".new");
    let mut file = File::options().write(true).create(true).truncate(true).mode(mode).open(&new)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&new, path)?;
    // A new name is durable once its folder is.
    path.parent().map_or(Ok(()), sync_folder)
}

/// Makes the names in a folder durable. Blocks.
pub(crate) fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}
