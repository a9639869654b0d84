//! Temporary files that have no name, and are their owner's alone.

use std::fs::File;
use std::path::Path;

/// Makes a file without a name in a folder.
///
/// The system gives it the rights of any new file, and who may look at what a process has open sees it by its number.
pub(crate) fn unnamed_file(folder: &Path) -> std::io::Result<File> {
    let file = tempfile::tempfile_in(folder)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        file.set_permissions(std::fs::Permissions::from_mode(0o600))?;
    }
    Ok(file)
}
