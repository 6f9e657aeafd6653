//! Files that appear complete or not at all, and that only their owner reads.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Creates a folder, and those above it, for its owner only.
pub(crate) fn create_private(folder: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// Writes a new file that only its owner can read, through to the disk.
pub(crate) fn write_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Writes a file that only its owner can read under a name that nobody has. It appears complete or
/// not at all; who has the name first keeps it.
///
/// # Errors
/// [`io::ErrorKind::AlreadyExists`] if the name is taken.
pub(crate) fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    // Before anything is written; and where there are no links, nothing else would say it.
    if path.symlink_metadata().is_ok() {
        return Err(io::ErrorKind::AlreadyExists.into());
    }
    through_draft(path, bytes, |draft| match fs::hard_link(draft, path) {
        Err(error)
            if error.kind() != io::ErrorKind::AlreadyExists && path.symlink_metadata().is_err() =>
        {
            // Some file systems (FAT) have no links; there a rename has to do.
            fs::rename(draft, path)
        }
        done => done,
    })
}

/// Writes a file that only its owner can read, in the place of the one that has its name, if any
/// has. At any moment that name stands for the old file or the new one, complete.
pub(crate) fn write_over(path: &Path, bytes: &[u8]) -> io::Result<()> {
    through_draft(path, bytes, |draft| fs::rename(draft, path))
}

/// Makes a new name in a folder survive a power failure.
pub(crate) fn sync_folder(folder: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}

/// The folder of a file.
pub(crate) fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    }
}

/// Removes a file; none is as good.
pub(crate) fn remove_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Writes a draft beside the file, and gives it the file's name.
fn through_draft(
    path: &Path,
    bytes: &[u8],
    publish: impl FnOnce(&Path) -> io::Result<()>,
) -> io::Result<()> {
    let draft = draft_of(path)?;
    let written = write_private(&draft, bytes).and_then(|()| publish(&draft));
    // The draft has served, or is of no use; one that stays is never read.
    let _ = fs::remove_file(&draft);
    written.and_then(|()| sync_folder(folder_of(path)))
}

fn draft_of(path: &Path) -> io::Result<PathBuf> {
    let name = path.file_name().ok_or(io::ErrorKind::InvalidFilename)?;
    let name = format!(".{}.{:016x}.new", name.to_string_lossy(), rand::random::<u64>());
    Ok(folder_of(path).join(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(unix)]
    fn folders_are_their_owners() {
        use std::os::unix::fs::PermissionsExt;
        let parent = tempfile::tempdir().expect("a folder");
        let folder = parent.path().join("a/b");
        create_private(&folder).expect("created");
        let mode = |path: &Path| path.metadata().expect("exists").permissions().mode() & 0o777;
        assert_eq!(mode(&folder), 0o700);
        assert_eq!(mode(&parent.path().join("a")), 0o700);
    }

    #[test]
    #[cfg(unix)]
    fn a_new_file_takes_no_name_and_another_takes_the_place_of_the_old() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("file");
        write_new(&path, b"first").expect("free");
        let taken = write_new(&path, b"second").expect_err("taken");
        assert_eq!(taken.kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read(&path).expect("kept"), b"first");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).expect("ours");
        write_over(&path, b"third").expect("written");
        assert_eq!(fs::read(&path).expect("there"), b"third");
        let mode = path.metadata().expect("there").permissions().mode() & 0o777;
        assert_eq!(mode, 0o600);
        std::os::unix::fs::symlink("nowhere", folder.path().join("link")).expect("made");
        let taken = write_new(&folder.path().join("link"), b"").expect_err("a link is a name");
        assert_eq!(taken.kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read_dir(folder.path()).expect("readable").count(), 2, "no draft is left");
    }
}
