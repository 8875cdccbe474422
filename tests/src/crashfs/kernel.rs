//! What the kernel asks.

use std::ffi::OsStr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use fuser::{
    BsdFileFlags, Errno, FileAttr, FileHandle, FileType, Filesystem, FopenFlags, Generation,
    INodeNo, LockOwner, OpenFlags, RenameFlags, ReplyAttr, ReplyCreate, ReplyData, ReplyDirectory,
    ReplyEmpty, ReplyEntry, ReplyStatfs, ReplyWrite, Request, TimeOrNow, WriteFlags,
};

use super::disk::{Disk, File, Folder, Node};
use super::{Fault, Shared};

/// The kernel keeps no name and no attribute: after a cut they are others.
const KEEP: Duration = Duration::ZERO;
const BLOCK: u32 = 4_096;

pub(super) struct Kernel(pub(super) Shared);

impl Kernel {
    /// Does something with the disk, unless it has no current.
    fn with<T>(&self, act: impl FnOnce(&mut Disk) -> Option<T>) -> Result<T, Errno> {
        let mut disk = self.0.lock();
        if disk.is_cut() {
            return Err(Errno::EIO);
        }
        act(&mut disk).ok_or(Errno::ENOENT)
    }

    /// Changes something, unless that fails just now.
    fn change<T>(
        &self,
        fault: impl FnOnce(&Disk) -> Option<Fault>,
        act: impl FnOnce(&mut Disk) -> Option<T>,
    ) -> Result<T, Errno> {
        let fault = self.with(|disk| Some(fault(disk)))?;
        match fault {
            Some(Fault::Write) => Err(Errno::EIO),
            Some(Fault::ReadOnly) => Err(Errno::EROFS),
            Some(Fault::Sync) | None => self.with(act),
        }
    }

    fn change_name<T>(
        &self,
        name: &str,
        act: impl FnOnce(&mut Disk) -> Option<T>,
    ) -> Result<T, Errno> {
        self.change(|disk| disk.fault_of_name(name), act)
    }

    fn change_node<T>(
        &self,
        number: u64,
        act: impl FnOnce(&mut Disk) -> Option<T>,
    ) -> Result<T, Errno> {
        self.change(|disk| disk.fault_of(number), act)
    }

    fn sync(&self, number: u64, reply: ReplyEmpty) {
        let synced = self.with(|disk| {
            if disk.fault_of(number) == Some(Fault::Sync) {
                disk.lose(number);
                return Some(Err(Errno::EIO));
            }
            disk.sync(number).map(Ok)
        });
        answer(synced.flatten(), reply);
    }

    fn make(&self, parent: INodeNo, name: &OsStr, node: Node) -> Result<FileAttr, Errno> {
        let name = name.to_str().ok_or(Errno::EINVAL)?;
        self.change_name(name, |disk| {
            let number = disk.create(parent.0, name, node)?;
            attributes(disk, number)
        })
    }

    fn remove(&self, parent: INodeNo, name: &OsStr, reply: ReplyEmpty) {
        let name = name.to_str().unwrap_or_default();
        let removed = self.change_name(name, |disk| disk.remove(parent.0, name));
        answer(removed, reply);
    }
}

fn answer(done: Result<(), Errno>, reply: ReplyEmpty) {
    match done {
        Ok(()) => reply.ok(),
        Err(error) => reply.error(error),
    }
}

fn entry(made: Result<FileAttr, Errno>, reply: ReplyEntry) {
    match made {
        Ok(attributes) => reply.entry(&KEEP, &attributes, Generation(0)),
        Err(error) => reply.error(error),
    }
}

fn size(bytes: u64) -> usize {
    usize::try_from(bytes).unwrap_or(usize::MAX)
}

fn attributes(disk: &Disk, number: u64) -> Option<FileAttr> {
    let (kind, perm, length) = match disk.node(number)? {
        Node::File(file) => (FileType::RegularFile, 0o600, file.live.len()),
        Node::Folder(_) => (FileType::Directory, 0o700, 0),
    };
    let length = u64::try_from(length).unwrap_or(0);
    Some(FileAttr {
        ino: INodeNo(number),
        size: length,
        blocks: length.div_ceil(512),
        atime: UNIX_EPOCH,
        mtime: UNIX_EPOCH,
        ctime: UNIX_EPOCH,
        crtime: UNIX_EPOCH,
        kind,
        perm,
        nlink: 1,
        uid: 0,
        gid: 0,
        rdev: 0,
        blksize: BLOCK,
        flags: 0,
    })
}

impl Filesystem for Kernel {
    fn lookup(&self, _: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEntry) {
        let name = name.to_str().unwrap_or_default();
        let found = self.with(|disk| {
            let number = disk.find(parent.0, name)?;
            attributes(disk, number)
        });
        entry(found, reply);
    }

    fn getattr(&self, _: &Request, ino: INodeNo, _: Option<FileHandle>, reply: ReplyAttr) {
        match self.with(|disk| attributes(disk, ino.0)) {
            Ok(attributes) => reply.attr(&KEEP, &attributes),
            Err(error) => reply.error(error),
        }
    }

    fn setattr(
        &self,
        _: &Request,
        ino: INodeNo,
        _: Option<u32>,
        _: Option<u32>,
        _: Option<u32>,
        length: Option<u64>,
        _: Option<TimeOrNow>,
        _: Option<TimeOrNow>,
        _: Option<SystemTime>,
        _: Option<FileHandle>,
        _: Option<SystemTime>,
        _: Option<SystemTime>,
        _: Option<SystemTime>,
        _: Option<BsdFileFlags>,
        reply: ReplyAttr,
    ) {
        let changed = self.change_node(ino.0, |disk| {
            if let Some(length) = length {
                disk.resize(ino.0, size(length))?;
            }
            attributes(disk, ino.0)
        });
        match changed {
            Ok(attributes) => reply.attr(&KEEP, &attributes),
            Err(error) => reply.error(error),
        }
    }

    fn mkdir(
        &self,
        _: &Request,
        parent: INodeNo,
        name: &OsStr,
        _mode: u32,
        _umask: u32,
        reply: ReplyEntry,
    ) {
        entry(
            self.make(parent, name, Node::Folder(Folder::default())),
            reply,
        );
    }

    fn create(
        &self,
        _: &Request,
        parent: INodeNo,
        name: &OsStr,
        _mode: u32,
        _umask: u32,
        _flags: i32,
        reply: ReplyCreate,
    ) {
        match self.make(parent, name, Node::File(File::default())) {
            Ok(attributes) => {
                let flags = FopenFlags::empty();
                reply.created(&KEEP, &attributes, Generation(0), FileHandle(0), flags);
            }
            Err(error) => reply.error(error),
        }
    }

    fn unlink(&self, _: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEmpty) {
        self.remove(parent, name, reply);
    }

    fn rmdir(&self, _: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEmpty) {
        self.remove(parent, name, reply);
    }

    fn rename(
        &self,
        _: &Request,
        parent: INodeNo,
        name: &OsStr,
        new_parent: INodeNo,
        new_name: &OsStr,
        _: RenameFlags,
        reply: ReplyEmpty,
    ) {
        let from = (parent.0, name.to_str().unwrap_or_default());
        let to = (new_parent.0, new_name.to_str().unwrap_or_default());
        answer(self.change_name(to.1, |disk| disk.rename(from, to)), reply);
    }

    fn read(
        &self,
        _: &Request,
        ino: INodeNo,
        _: FileHandle,
        offset: u64,
        length: u32,
        _: OpenFlags,
        _: Option<LockOwner>,
        reply: ReplyData,
    ) {
        let read = self.with(|disk| {
            let bytes = &disk.file(ino.0)?.live;
            let begin = size(offset).min(bytes.len());
            let end = (begin + size(length.into())).min(bytes.len());
            Some(bytes[begin..end].to_vec())
        });
        match read {
            Ok(bytes) => reply.data(&bytes),
            Err(error) => reply.error(error),
        }
    }

    fn write(
        &self,
        _: &Request,
        ino: INodeNo,
        _: FileHandle,
        offset: u64,
        data: &[u8],
        _: WriteFlags,
        _: OpenFlags,
        _: Option<LockOwner>,
        reply: ReplyWrite,
    ) {
        match self.change_node(ino.0, |disk| disk.write(ino.0, size(offset), data)) {
            Ok(()) => reply.written(u32::try_from(data.len()).unwrap_or(u32::MAX)),
            Err(error) => reply.error(error),
        }
    }

    fn flush(&self, _: &Request, _: INodeNo, _: FileHandle, _: LockOwner, reply: ReplyEmpty) {
        reply.ok();
    }

    fn fsync(&self, _: &Request, ino: INodeNo, _: FileHandle, _datasync: bool, reply: ReplyEmpty) {
        self.sync(ino.0, reply);
    }

    fn fsyncdir(
        &self,
        _: &Request,
        ino: INodeNo,
        _: FileHandle,
        _datasync: bool,
        reply: ReplyEmpty,
    ) {
        self.sync(ino.0, reply);
    }

    fn readdir(
        &self,
        _: &Request,
        ino: INodeNo,
        _: FileHandle,
        offset: u64,
        mut reply: ReplyDirectory,
    ) {
        let found = self.with(|disk| {
            let names = disk.folder(ino.0)?.live.iter();
            let kind = |number| match disk.node(number) {
                Some(Node::Folder(_)) => FileType::Directory,
                Some(Node::File(_)) | None => FileType::RegularFile,
            };
            let entries = names.map(|(name, number)| (name.clone(), *number, kind(*number)));
            Some(entries.collect::<Vec<_>>())
        });
        match found {
            Ok(entries) => {
                let rest = (1_u64..).zip(entries).skip(size(offset));
                for (position, (name, number, kind)) in rest {
                    if reply.add(INodeNo(number), position, kind, name) {
                        break;
                    }
                }
                reply.ok();
            }
            Err(error) => reply.error(error),
        }
    }

    fn statfs(&self, _: &Request, _: INodeNo, reply: ReplyStatfs) {
        let plenty = 1 << 24;
        reply.statfs(plenty, plenty, plenty, plenty, plenty, BLOCK, 255, BLOCK);
    }
}
