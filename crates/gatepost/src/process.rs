//! What this process may leave behind and how much it may use.

use rustix::process::{
    DumpableBehavior, Resource, Rlimit, getrlimit, set_dumpable_behavior, setrlimit, umask,
};

/// Keeps memory out of core dumps and other users' hands, and new files closed to others. First of all in `main`.
///
/// A failure is not fatal: some containers forbid it, and have no dumps either.
pub fn harden() {
    // VA-6: keys and passwords in memory must not land in a file.
    let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
    let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    umask(rustix::fs::Mode::from_raw_mode(0o077));
}

/// Raises the number of files that may be open to what the system allows, and returns it.
pub fn raise_descriptor_limit() -> u64 {
    let limit = getrlimit(Resource::Nofile);
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum });
    getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX)
}

/// How many connections applications may hold open at a time (OP-11).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Budget {
    /// At most the number that was asked for, by all doors together.
    pub connections: u64,
    /// That number.
    pub wanted: u64,
    /// What is short, in words, when it is less.
    pub shortage: Option<String>,
    /// Connections of browsers; none where no portal listens.
    pub pages: u64,
}

/// Open files besides those of applications' connections: database, providers, logs, listeners.
const RESERVED_DESCRIPTORS: u64 = 192;
/// Connections of browsers that are kept free for people, whatever applications do.
const LEAST_PAGES: u64 = 128;
/// More connections of browsers are no use: a thousand people at once have two each.
const MOST_PAGES: u64 = 2_000;
/// A connection and the body it is writing.
const DESCRIPTORS_PER_CONNECTION: u64 = 2;
/// Memory besides that of connections.
const RESERVED_BYTES: u64 = 96 << 20;
/// Buffers of one busy connection: TLS records both ways, a line, a chunk of a body plain and sealed.
const BYTES_PER_CONNECTION: u64 = 256 << 10;
/// Fewer are no service.
const LEAST_CONNECTIONS: u64 = 16;

/// Whether browsers come beside applications.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PortalDoor {
    /// They do.
    Open,
    /// No portal listens.
    None,
}

impl Budget {
    /// What a door gets of it that wants so many.
    #[must_use]
    pub const fn share(&self, of: u64) -> u64 {
        if self.connections == self.wanted { of } else { of * self.connections / self.wanted }
    }

    /// What this process can afford of the connections of applications that are `wanted`, beside a portal if there is one; an error,
    /// in words, when it is too little.
    pub fn of_this_process(wanted: u64, portal: PortalDoor) -> Result<Self, String> {
        Self::afford(wanted, portal, raise_descriptor_limit(), memory_limit())
    }

    fn afford(
        wanted: u64,
        portal: PortalDoor,
        descriptors: u64,
        memory: Option<u64>,
    ) -> Result<Self, String> {
        let left = descriptors.saturating_sub(RESERVED_DESCRIPTORS);
        let least_pages = match portal {
            PortalDoor::Open => LEAST_PAGES,
            PortalDoor::None => 0,
        };
        let by_descriptors = left.saturating_sub(least_pages) / DESCRIPTORS_PER_CONNECTION;
        let by_memory =
            memory.map_or(u64::MAX, |it| it.saturating_sub(RESERVED_BYTES) / BYTES_PER_CONNECTION);
        let connections = wanted.min(by_descriptors).min(by_memory);
        let pages = match portal {
            PortalDoor::Open => {
                left.saturating_sub(connections.saturating_mul(DESCRIPTORS_PER_CONNECTION)).min(MOST_PAGES)
            }
            PortalDoor::None => 0,
        };
        if connections == wanted {
            return Ok(Self { connections, wanted, shortage: None, pages });
        }
        let shortage = if by_descriptors <= by_memory {
            format!(
                "this process may open {descriptors} files, enough for {connections} connections. For {wanted}, raise the limit \
                 (ulimit -n, or LimitNOFILE= in the systemd unit)"
            )
        } else {
            format!(
                "this process may use {} MiB of memory, enough for {connections} connections. For {wanted}, raise the limit \
                 (of the container, or MemoryMax= in the systemd unit)",
                memory.unwrap_or(0) >> 20
            )
        };
        if connections < LEAST_CONNECTIONS {
            Err(shortage)
        } else {
            Ok(Self { connections, wanted, shortage: Some(shortage), pages })
        }
    }
}

/// The limit of this process' control group (version 2); none where there is none.
fn memory_limit() -> Option<u64> {
    let groups = std::fs::read_to_string("/proc/self/cgroup").ok()?;
    let own = groups.lines().find_map(|line| line.strip_prefix("0::"))?;
    // A limit may be set on any group above, down from the root.
    let mut folder = std::path::PathBuf::from("/sys/fs/cgroup");
    let mut limits = vec![limit_of(&folder)];
    for part in own.split('/').filter(|part| !part.is_empty()) {
        folder.push(part);
        limits.push(limit_of(&folder));
    }
    limits.into_iter().flatten().min()
}

fn limit_of(group: &std::path::Path) -> Option<u64> {
    std::fs::read_to_string(group.join("memory.max")).ok()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn enough_is_what_was_asked_for() {
        let budget = Budget::afford(2_000, PortalDoor::None, 524_288, None).unwrap();
        assert_eq!(budget, Budget { connections: 2_000, wanted: 2_000, shortage: None, pages: 0 });
        let budget = Budget::afford(2_000, PortalDoor::Open, 524_288, None).unwrap();
        assert_eq!(budget, Budget { connections: 2_000, wanted: 2_000, shortage: None, pages: 2_000 });
        assert_eq!(budget.share(500), 500);
    }

    #[test]
    fn browsers_take_no_place_of_applications_and_applications_leave_them_some() {
        for descriptors in [224, 300, 1_024, 4_200, 4_500, 10_000] {
            let Ok(it) = Budget::afford(2_000, PortalDoor::Open, descriptors, None) else {
                assert!(descriptors < 352, "{descriptors}");
                continue;
            };
            let used = RESERVED_DESCRIPTORS + it.connections * DESCRIPTORS_PER_CONNECTION + it.pages;
            assert!(used <= descriptors && it.pages >= LEAST_PAGES, "{descriptors}: {it:?}");
        }
    }

    #[test]
    fn little_is_less_with_a_warning_and_too_little_is_refused() {
        let budget = Budget::afford(2_000, PortalDoor::None, 1_024, None).unwrap();
        assert_eq!((budget.connections, budget.share(1_000)), (416, 208));
        assert!(budget.shortage.unwrap().contains("1024 files, enough for 416 connections. For 2000, raise"));
        let budget = Budget::afford(2_000, PortalDoor::None, 524_288, Some(128 << 20)).unwrap();
        assert_eq!(budget.connections, 128);
        assert!(budget.shortage.unwrap().contains("128 MiB of memory"));
        assert!(Budget::afford(2_000, PortalDoor::None, 200, None).unwrap_err().contains("200 files"));
        assert!(
            Budget::afford(2_000, PortalDoor::None, 524_288, Some(64 << 20)).unwrap_err().contains("64 MiB")
        );
    }

    #[test]
    fn core_dumps_are_off_and_files_are_closed_to_others() {
        harden();
        assert_eq!(getrlimit(Resource::Core).current, Some(0));
        assert_eq!(rustix::process::dumpable_behavior().unwrap(), DumpableBehavior::NotDumpable);
        assert_eq!(umask(rustix::fs::Mode::from_raw_mode(0o077)).as_raw_mode(), 0o077);
    }
}
