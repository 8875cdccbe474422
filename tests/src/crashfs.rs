//! A file system that forgets: what was written and not synced is gone after a cut,
//! all of it or a part, the last write torn. The disk behind it is memory; the
//! kernel in front of it is real (FUSE), so the program under test is the real one.
//!
//! A file's writes and truncations become durable by `fsync` of the file, names by
//! `fsync` of their folder: no more than POSIX promises. It can refuse writes, and fail
//! to sync as Linux does: once, after which the next sync says that all is well although
//! what it was to keep is not kept.

mod disk;
mod kernel;

use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use fuser::{BackgroundSession, Config, MountOption};

use crate::real::Random;
use disk::Disk;

/// What a disk does not do any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Writes and new names fail.
    Write,
    /// So does every change, as after a remount.
    ReadOnly,
    /// Syncs fail, and what they were to keep will not be kept by a later one.
    Sync,
}

/// A mounted file system that forgets.
pub struct CrashFs {
    disk: Shared,
    _session: BackgroundSession,
}

#[derive(Clone, Default)]
struct Shared(Arc<Mutex<Disk>>);

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Disk> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl CrashFs {
    /// Mounts it; an error where that is not possible.
    pub fn mount(folder: &Path) -> io::Result<Self> {
        let disk = Shared::default();
        let mut config = Config::default();
        config.mount_options = vec![MountOption::FSName("crashfs".to_owned())];
        let session = fuser::spawn_mount(kernel::Kernel(disk.clone()), folder, &config)?;
        Ok(Self {
            disk,
            _session: session,
        })
    }

    /// The current fails: from here on nothing is read or written.
    pub fn cut(&self) {
        self.disk.lock().cut();
    }

    /// The current is back: what was not synced is gone, or some of it.
    pub fn restore(&self, random: &mut Random) {
        self.disk.lock().restore(random);
    }

    /// Something fails from here on, with the files whose names end so only.
    pub fn fail(&self, fault: Fault, name_end: &'static str) {
        self.disk.lock().fail(Some((fault, name_end)));
    }

    /// Nothing fails any more.
    pub fn repair(&self) {
        self.disk.lock().fail(None);
    }

    /// Copies what is durable right now of the folder `name` to a real one.
    pub fn copy_durable(&self, name: &str, to: &Path) -> io::Result<()> {
        for (name, bytes) in self.disk.lock().durable_files(name) {
            std::fs::write(to.join(name), bytes)?;
        }
        Ok(())
    }

    /// How much was written and not synced at the cuts so far, in bytes.
    pub fn forgotten_bytes(&self) -> u64 {
        self.disk.lock().forgotten_bytes
    }
}
