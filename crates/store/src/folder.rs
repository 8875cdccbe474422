use std::fs::{DirBuilder, File};
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;

/// Makes a folder that only we may read, with those above it, so that a power cut
/// does not take it away again: the name of a folder is on the disk when the folder
/// above it is synced.
pub fn make_folder(folder: &Path) -> io::Result<()> {
    let missing = folder.ancestors().take_while(|above| !above.exists());
    let above: Vec<&Path> = missing.filter_map(Path::parent).collect();
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)?;
    for above in above {
        let named = if above.as_os_str().is_empty() {
            Path::new(".")
        } else {
            above
        };
        File::open(named)?.sync_all()?;
    }
    Ok(())
}
