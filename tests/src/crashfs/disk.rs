use std::collections::BTreeMap;

use super::Fault;
use crate::real::Random;

/// The root's number, as FUSE has it.
pub(super) const ROOT: u64 = 1;

/// What a disk tears a write at.
const SECTOR: usize = 512;

/// Files and folders, as they are and as they would be after a cut.
pub(super) struct Disk {
    nodes: BTreeMap<u64, Node>,
    next: u64,
    is_cut: bool,
    fault: Option<(Fault, &'static str)>,
    pub(super) forgotten_bytes: u64,
}

pub(super) enum Node {
    File(File),
    Folder(Folder),
}

#[derive(Default)]
pub(super) struct File {
    pub(super) live: Vec<u8>,
    durable: Vec<u8>,
    unsynced: Vec<Change>,
}

enum Change {
    Write { offset: usize, bytes: Vec<u8> },
    Resize(usize),
}

#[derive(Default)]
pub(super) struct Folder {
    pub(super) live: BTreeMap<String, u64>,
    durable: BTreeMap<String, u64>,
    /// Names and what they became, in order.
    unsynced: Vec<(String, Option<u64>)>,
}

impl Default for Disk {
    fn default() -> Self {
        let root = Node::Folder(Folder::default());
        Self {
            nodes: BTreeMap::from([(ROOT, root)]),
            next: ROOT + 1,
            is_cut: false,
            fault: None,
            forgotten_bytes: 0,
        }
    }
}

impl Change {
    fn apply(&self, to: &mut Vec<u8>) {
        match self {
            Self::Write { offset, bytes } => write(to, *offset, bytes),
            Self::Resize(length) => to.resize(*length, 0),
        }
    }

    /// Only the first sectors of it.
    fn torn(&self, random: &mut Random) -> Self {
        match self {
            Self::Write { offset, bytes } => {
                let sectors = u64::try_from(bytes.len() / SECTOR).unwrap_or(0);
                let kept = usize::try_from(random.below(sectors + 1)).unwrap_or(0);
                Self::Write {
                    offset: *offset,
                    bytes: bytes[..kept * SECTOR].to_vec(),
                }
            }
            Self::Resize(length) => Self::Resize(*length),
        }
    }
}

fn write(to: &mut Vec<u8>, offset: usize, bytes: &[u8]) {
    let end = offset + bytes.len();
    if to.len() < end {
        to.resize(end, 0);
    }
    to[offset..end].copy_from_slice(bytes);
}

impl File {
    fn change(&mut self, change: Change) {
        change.apply(&mut self.live);
        self.unsynced.push(change);
    }

    fn sync(&mut self) {
        for change in self.unsynced.drain(..) {
            change.apply(&mut self.durable);
        }
    }

    /// The pages count as written, and are not.
    fn lose(&mut self) {
        self.unsynced.clear();
    }

    /// What is left of it; how much was forgotten.
    fn restore(&mut self, fate: Fate, random: &mut Random) -> u64 {
        let mut forgotten = 0;
        let changes = std::mem::take(&mut self.unsynced);
        let torn_at = random.below(u64::try_from(changes.len()).unwrap_or(0));
        for (index, change) in (0_u64..).zip(&changes) {
            let is_kept = match fate {
                Fate::Nothing => false,
                Fate::SomeWrites => random.once_in(2),
                Fate::TornEnd => index < torn_at,
            };
            if is_kept {
                change.apply(&mut self.durable);
            } else if matches!(fate, Fate::TornEnd) && index == torn_at {
                change.torn(random).apply(&mut self.durable);
            }
            if !is_kept && let Change::Write { bytes, .. } = change {
                forgotten += u64::try_from(bytes.len()).unwrap_or(0);
            }
        }
        self.live.clone_from(&self.durable);
        forgotten
    }
}

/// What becomes of unsynced writes.
#[derive(Clone, Copy)]
enum Fate {
    /// They are all gone.
    Nothing,
    /// Some got to the disk, in no order.
    SomeWrites,
    /// The first got there, and a part of the next.
    TornEnd,
}

impl Folder {
    fn set(&mut self, name: &str, node: Option<u64>) {
        apply(&mut self.live, name, node);
        self.unsynced.push((name.to_owned(), node));
    }

    fn sync(&mut self) {
        for (name, node) in self.unsynced.drain(..) {
            apply(&mut self.durable, &name, node);
        }
    }

    fn restore(&mut self, fate: Fate, random: &mut Random) {
        // A folder's own journal keeps the order of names.
        let length = u64::try_from(self.unsynced.len()).unwrap_or(0);
        let kept = match fate {
            Fate::Nothing => 0,
            Fate::SomeWrites | Fate::TornEnd => random.below(length + 1),
        };
        let unsynced = std::mem::take(&mut self.unsynced);
        for (name, node) in unsynced
            .into_iter()
            .take(usize::try_from(kept).unwrap_or(0))
        {
            apply(&mut self.durable, &name, node);
        }
        self.live.clone_from(&self.durable);
    }
}

fn apply(names: &mut BTreeMap<String, u64>, name: &str, node: Option<u64>) {
    match node {
        Some(node) => names.insert(name.to_owned(), node),
        None => names.remove(name),
    };
}

impl Disk {
    pub(super) fn is_cut(&self) -> bool {
        self.is_cut
    }

    pub(super) fn cut(&mut self) {
        self.is_cut = true;
    }

    pub(super) fn fail(&mut self, fault: Option<(Fault, &'static str)>) {
        self.fault = fault;
    }

    /// What fails with a node of this name.
    pub(super) fn fault_of_name(&self, name: &str) -> Option<Fault> {
        let (fault, name_end) = self.fault?;
        name.ends_with(name_end).then_some(fault)
    }

    /// What fails with this node.
    pub(super) fn fault_of(&self, number: u64) -> Option<Fault> {
        let mut folders = self.nodes.values().filter_map(|node| match node {
            Node::Folder(folder) => Some(folder),
            Node::File(_) => None,
        });
        let name = folders.find_map(|folder| {
            let mut names = folder.live.iter();
            names.find_map(|(name, child)| (*child == number).then_some(name.as_str()))
        });
        self.fault_of_name(name.unwrap_or_default())
    }

    /// What a failed sync does.
    pub(super) fn lose(&mut self, number: u64) {
        if let Some(file) = self.file_mut(number) {
            file.lose();
        }
    }

    pub(super) fn restore(&mut self, random: &mut Random) {
        let fates = [Fate::Nothing, Fate::SomeWrites, Fate::TornEnd];
        let fate = *random.choose(&fates);
        for node in self.nodes.values_mut() {
            match node {
                Node::File(file) => self.forgotten_bytes += file.restore(fate, random),
                Node::Folder(folder) => folder.restore(fate, random),
            }
        }
        self.renumber();
        self.is_cut = false;
    }

    /// Gives everything that can still be reached a new number, so that nothing the
    /// kernel has kept is taken for it.
    fn renumber(&mut self) {
        let mut old = std::mem::take(&mut self.nodes);
        let mut waiting = vec![(ROOT, ROOT)];
        while let Some((number, fresh)) = waiting.pop() {
            let Some(mut node) = old.remove(&number) else {
                continue;
            };
            if let Node::Folder(folder) = &mut node {
                for child in folder.live.values_mut() {
                    waiting.push((*child, self.next));
                    *child = self.next;
                    self.next += 1;
                }
                folder.durable.clone_from(&folder.live);
            }
            self.nodes.insert(fresh, node);
        }
    }

    pub(super) fn node(&self, number: u64) -> Option<&Node> {
        self.nodes.get(&number)
    }

    pub(super) fn file(&self, number: u64) -> Option<&File> {
        match self.nodes.get(&number)? {
            Node::File(file) => Some(file),
            Node::Folder(_) => None,
        }
    }

    pub(super) fn folder(&self, number: u64) -> Option<&Folder> {
        match self.nodes.get(&number)? {
            Node::Folder(folder) => Some(folder),
            Node::File(_) => None,
        }
    }

    fn folder_mut(&mut self, number: u64) -> Option<&mut Folder> {
        match self.nodes.get_mut(&number)? {
            Node::Folder(folder) => Some(folder),
            Node::File(_) => None,
        }
    }

    fn file_mut(&mut self, number: u64) -> Option<&mut File> {
        match self.nodes.get_mut(&number)? {
            Node::File(file) => Some(file),
            Node::Folder(_) => None,
        }
    }

    pub(super) fn find(&self, folder: u64, name: &str) -> Option<u64> {
        self.folder(folder)?.live.get(name).copied()
    }

    pub(super) fn create(&mut self, folder: u64, name: &str, node: Node) -> Option<u64> {
        let number = self.next;
        self.folder_mut(folder)?.set(name, Some(number));
        self.nodes.insert(number, node);
        self.next += 1;
        Some(number)
    }

    /// A node stays as long as somebody may have it open: until the next cut.
    pub(super) fn remove(&mut self, folder: u64, name: &str) -> Option<()> {
        self.find(folder, name)?;
        self.folder_mut(folder)?.set(name, None);
        Some(())
    }

    pub(super) fn rename(&mut self, from: (u64, &str), to: (u64, &str)) -> Option<()> {
        let node = self.find(from.0, from.1)?;
        self.folder_mut(to.0)?.set(to.1, Some(node));
        self.folder_mut(from.0)?.set(from.1, None);
        Some(())
    }

    pub(super) fn write(&mut self, number: u64, offset: usize, bytes: &[u8]) -> Option<()> {
        let bytes = bytes.to_vec();
        self.file_mut(number)?
            .change(Change::Write { offset, bytes });
        Some(())
    }

    pub(super) fn resize(&mut self, number: u64, length: usize) -> Option<()> {
        self.file_mut(number)?.change(Change::Resize(length));
        Some(())
    }

    pub(super) fn sync(&mut self, number: u64) -> Option<()> {
        match self.nodes.get_mut(&number)? {
            Node::File(file) => file.sync(),
            Node::Folder(folder) => folder.sync(),
        }
        Some(())
    }

    pub(super) fn durable_files(&self, folder: &str) -> Vec<(String, Vec<u8>)> {
        let Some(folder) = self
            .find(ROOT, folder)
            .and_then(|number| self.folder(number))
        else {
            return Vec::new();
        };
        let files = folder.durable.iter();
        files
            .filter_map(|(name, number)| Some((name.clone(), self.file(*number)?.durable.clone())))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::{Disk, Fault, Folder, Node, ROOT};
    use crate::real::Random;

    #[test]
    fn what_is_synced_stays_and_what_is_not_may_go() {
        let mut random = Random::new(7);
        let mut disk = Disk::default();
        let file = disk
            .create(ROOT, "a", Node::File(super::File::default()))
            .unwrap();
        disk.write(file, 0, &[1; 1_024]).unwrap();
        disk.sync(file).unwrap();
        disk.sync(ROOT).unwrap();
        disk.create(ROOT, "b", Node::Folder(Folder::default()))
            .unwrap();
        for _ in 0..20 {
            let file = disk.find(ROOT, "a").unwrap();
            disk.write(file, 512, &[2; 4_096]).unwrap();
            disk.cut();
            disk.restore(&mut random);
            let file = disk.find(ROOT, "a").unwrap();
            assert_eq!(disk.file(file).unwrap().live[..512], [1; 512]);
        }
        assert!(disk.forgotten_bytes > 0);
    }

    #[test]
    fn what_a_failed_sync_lost_no_later_one_keeps() {
        let mut random = Random::new(7);
        let mut disk = Disk::default();
        let file = disk
            .create(ROOT, "a.db", Node::File(super::File::default()))
            .unwrap();
        disk.sync(ROOT).unwrap();
        disk.fail(Some((Fault::Sync, ".db")));
        assert_eq!(disk.fault_of(file), Some(Fault::Sync));
        assert_eq!(disk.fault_of(ROOT), None);
        disk.write(file, 0, &[1; 512]).unwrap();
        disk.lose(file);
        disk.fail(None);
        disk.write(file, 512, &[2; 512]).unwrap();
        disk.sync(file).unwrap();
        let live = &disk.file(file).unwrap().live;
        assert_eq!((live[0], live[512]), (1, 2), "it looks as if it were there");
        disk.cut();
        disk.restore(&mut random);
        let file = disk.find(ROOT, "a.db").unwrap();
        let kept = &disk.file(file).unwrap().live;
        assert_eq!((kept[0], kept[512]), (0, 2));
    }
}
