//! Finds out whether a folder is on a network file system, where SQLite's write-ahead log would
//! be unsafe: it needs memory that all processes share, and those may run on different machines.

use std::path::{Path, PathBuf};

/// Whether a folder is on a network file system, as far as the operating system tells: on Linux
/// in /proc/mounts, elsewhere not at all.
pub(crate) fn is_on_network(folder: &Path) -> bool {
    let Ok(mounts) = std::fs::read_to_string("/proc/mounts") else {
        return false;
    };
    let folder = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    file_system(&mounts, &folder).is_some_and(is_network_type)
}

/// The type of the file system that a folder is on. Of several mounts at one place, the last is
/// the one to be seen.
fn file_system<'m>(mounts: &'m str, folder: &Path) -> Option<&'m str> {
    let mut found: Option<(PathBuf, &str)> = None;
    for line in mounts.lines() {
        let mut fields = line.split(' ').skip(1);
        let (Some(place), Some(kind)) = (fields.next(), fields.next()) else {
            continue;
        };
        let place = unescaped(place);
        let is_nearer = found.as_ref().is_none_or(|(nearest, _)| place.starts_with(nearest));
        if folder.starts_with(&place) && is_nearer {
            found = Some((place, kind));
        }
    }
    found.map(|(_, kind)| kind)
}

/// A path of /proc/mounts, in which space, tab, newline and backslash are octal (proc(5)).
fn unescaped(place: &str) -> PathBuf {
    let plain = [("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")];
    let text = plain.iter().fold(place.to_owned(), |text, (octal, char)| text.replace(octal, char));
    PathBuf::from(text)
}

fn is_network_type(kind: &str) -> bool {
    let kinds =
        ["nfs", "cifs", "smb", "afs", "9p", "ceph", "lustre", "gfs2", "ocfs2", "fuse.sshfs"];
    kinds.iter().any(|known| kind.starts_with(known))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOUNTS: &str = "\
/dev/sda1 / ext4 rw,relatime 0 0
server:/export/home /home nfs4 rw,vers=4.2 0 0
/dev/sdb1 /home/me/local\\040disk ext4 rw 0 0
//server/share /mnt/share cifs rw 0 0
/dev/sdc1 /mnt/share ext4 rw 0 0
broken
";

    #[test]
    fn the_nearest_mount_decides_and_the_last_at_one_place() {
        let on_network =
            |folder: &str| file_system(MOUNTS, Path::new(folder)).is_some_and(is_network_type);
        assert!(on_network("/home/me/.local/share/cairn"));
        assert!(!on_network("/home/me/local disk/cairn"));
        assert!(!on_network("/homestead"));
        assert!(!on_network("/mnt/share/cairn"));
        assert!(!on_network("/var/lib"));
        assert_eq!(file_system("", Path::new("/")), None);
    }
}
