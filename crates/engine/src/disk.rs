//! Whether there is room on the disk. Below the mark nothing more is taken in, so
//! that what was taken in can still be worked on.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use store::StoreError;

use crate::Engine;

/// How often the disk is looked at: often enough that the mark's distance from
/// nothing is not used up in between.
const LOOK: Duration = Duration::from_secs(1);

#[derive(Debug, Default)]
pub(crate) struct Disk {
    nearly_full: AtomicBool,
}

impl Disk {
    pub(crate) fn is_nearly_full(&self) -> bool {
        self.nearly_full.load(Ordering::Relaxed)
    }
}

pub(crate) async fn run(engine: Engine) {
    let stop = engine.stopping();
    while !stop.is_cancelled() {
        engine.look_at_disk().await;
        if !engine.store().is_healthy() && engine.store().damage().is_none() {
            // Nobody may be sent here as long as we are not ready: find out by
            // ourselves when the store can be written again.
            let probed = engine.store().write::<_, StoreError>(|tx| tx.probe()).await;
            tracing::info!(healthy = probed.is_ok(), "the store was probed");
        }
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(LOOK) => {}
        }
    }
}

impl Engine {
    pub(crate) async fn look_at_disk(&self) {
        let settings = self.settings();
        let folders = [settings.store_path.parent(), Some(&settings.files_path)];
        let folders: Vec<PathBuf> = folders.into_iter().flatten().map(Path::to_owned).collect();
        let free = tokio::task::spawn_blocking(move || least_free(&folders)).await;
        let Ok(Some(free)) = free else {
            // What cannot be told is not known to be bad.
            return;
        };
        #[expect(
            clippy::cast_precision_loss,
            reason = "a metric needs no more than 52 bits"
        )]
        metrics::gauge!("disk_free_bytes").set(free as f64);
        let is_low = free < settings.limits.disk_free_bytes_min;
        let was_low = self.inner.disk.nearly_full.swap(is_low, Ordering::Relaxed);
        if is_low != was_low {
            tracing::warn!(free_bytes = free, is_low, "the disk's free space changed");
        }
    }
}

fn least_free(folders: &[PathBuf]) -> Option<u64> {
    let free = |folder: &PathBuf| {
        let folder = if folder.as_os_str().is_empty() {
            Path::new(".")
        } else {
            folder
        };
        let told = rustix::fs::statvfs(folder).ok()?;
        Some(told.f_bavail.saturating_mul(told.f_frsize))
    };
    folders.iter().filter_map(free).min()
}
