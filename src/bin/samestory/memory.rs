//! What the system says of memory.

use std::path::Path;

/// Bytes of the machine, or of the group of processes this one is in where that has fewer; `None` where the system does not
/// say.
pub(crate) fn of_machine() -> Option<u64> {
    let machine = field(Path::new("/proc/meminfo"), "MemTotal:")?;
    let group = std::fs::read_to_string("/sys/fs/cgroup/memory.max").ok();
    let limit = group.and_then(|text| text.trim().parse().ok()).unwrap_or(u64::MAX);
    Some(machine.min(limit))
}

/// The most bytes that this process has held, files that it has mapped among them.
pub(crate) fn peak() -> Option<u64> {
    field(Path::new("/proc/self/status"), "VmHWM:")
}

/// A number of kB under a name, in bytes.
fn field(path: &Path, name: &str) -> Option<u64> {
    let text = std::fs::read_to_string(path).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    Some(line.trim().strip_suffix(" kB")?.parse::<u64>().ok()? * 1024)
}
