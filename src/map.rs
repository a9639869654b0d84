//! Files as memory: the one place with `unsafe`.

use memmap2::Mmap;
use std::fs::File;

/// A whole file as memory that the system may take back; read in no order. Records are a few lines each: by calls to the
/// system each would be copied in whole pages.
///
/// The file must be one that nobody writes or cuts any more: a temporary one without a name, or a finished file of an
/// index, which is replaced under another name and never changed. Who cuts one by hand while it is in use ends the
/// process; what lies in it is checked when it is read.
pub(crate) fn map(file: &File) -> std::io::Result<Mmap> {
    #[allow(unsafe_code, reason = "a mapped file can change under its reader; these do not, see above")]
    // SAFETY: callers hand over files that nobody writes or cuts while the map lives, as said above.
    let map = unsafe { Mmap::map(file)? };
    #[cfg(unix)]
    // Reading ahead would only be for nothing.
    let _ = map.advise(memmap2::Advice::Random);
    Ok(map)
}
