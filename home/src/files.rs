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
    let mut file = create_private_file(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Creates a file that only its owner can read.
fn create_private_file(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Writes a file that only its owner can read under a name that nobody has. It appears complete or
/// not at all; who has the name first keeps it.
///
/// # Errors
/// [`io::ErrorKind::AlreadyExists`] if the name is taken.
pub(crate) fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    write_through_draft(path, bytes, false)
}

/// Writes a file that only its owner can read, in the place of the one that has its name, if any
/// has. At any moment that name stands for the old file or the new one, complete.
pub(crate) fn write_over(path: &Path, bytes: &[u8]) -> io::Result<()> {
    write_through_draft(path, bytes, true)
}

fn write_through_draft(path: &Path, bytes: &[u8], over: bool) -> io::Result<()> {
    let mut draft = Draft::create(path, Readers::Owner, over)?;
    draft.file().write_all(bytes)?;
    draft.publish()
}

/// Who may read a new file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Readers {
    /// Its owner only.
    Owner,
    /// Whoever the system lets by default.
    Usual,
}

/// A file that is written beside the one that it will be, which appears complete or not at all.
/// Without [`Draft::publish`] nothing is left of it.
#[derive(Debug)]
pub struct Draft {
    file: File,
    path: PathBuf,
    becomes: PathBuf,
    over: bool,
}

impl Draft {
    /// Begins a file that will be `path`: in the place of another if it may write `over` it, else
    /// under a name that nobody has.
    ///
    /// # Errors
    /// [`io::ErrorKind::AlreadyExists`] if the name is taken; errors of the file system.
    pub fn create(path: &Path, readers: Readers, over: bool) -> io::Result<Self> {
        // Before anything is written; and where there are no links, nothing else would say it.
        if !over && path.symlink_metadata().is_ok() {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let draft = draft_of(path)?;
        let file = match readers {
            Readers::Owner => create_private_file(&draft)?,
            Readers::Usual => File::create_new(&draft)?,
        };
        Ok(Self { file, path: draft, becomes: path.to_owned(), over })
    }

    /// Where its content goes.
    pub fn file(&mut self) -> &mut File {
        &mut self.file
    }

    /// Writes it through to the disk, and gives it its name.
    ///
    /// # Errors
    /// [`io::ErrorKind::AlreadyExists`] if somebody was faster; errors of the file system.
    pub fn publish(self) -> io::Result<()> {
        self.file.sync_all()?;
        if self.over {
            fs::rename(&self.path, &self.becomes)?;
        } else {
            self.take_free_name()?;
        }
        let folder = folder_of(&self.becomes).to_owned();
        drop(self);
        sync_folder(&folder)
    }

    fn take_free_name(&self) -> io::Result<()> {
        match fs::hard_link(&self.path, &self.becomes) {
            Err(error)
                if error.kind() != io::ErrorKind::AlreadyExists
                    && self.becomes.symlink_metadata().is_err() =>
            {
                // Some file systems (FAT) have no links; there a rename has to do.
                fs::rename(&self.path, &self.becomes)
            }
            done => done,
        }
    }
}

impl Drop for Draft {
    /// The draft has served, or is of no use; one that stays is never read.
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
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

    #[test]
    fn a_draft_that_is_not_published_leaves_nothing() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("file");
        let mut draft = Draft::create(&path, Readers::Usual, false).expect("free");
        draft.file().write_all(b"half").expect("a disk");
        assert_eq!(fs::read_dir(folder.path()).expect("readable").count(), 1);
        fs::write(&path, b"other").expect("a disk");
        let taken = draft.publish().expect_err("somebody was faster");
        assert_eq!(taken.kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read(&path).expect("kept"), b"other");
        drop(Draft::create(&path, Readers::Usual, true).expect("to write over it"));
        assert_eq!(fs::read(&path).expect("kept"), b"other");
        assert_eq!(fs::read_dir(folder.path()).expect("readable").count(), 1, "no draft is left");
    }
}
