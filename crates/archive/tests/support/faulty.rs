//! A layer under SQLite whose files fail on demand: what a broken disk and a full one say.

use std::ffi::{c_char, c_int, c_void};
use std::sync::atomic::{AtomicI64, AtomicU8, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use rusqlite::ffi;

/// The layer's name, for `Options::vfs`.
pub const NAME: &str = "chinwag-faulty";

/// What fails from now on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Fault {
    /// Nothing.
    None,
    /// Every sync.
    Sync,
    /// Every write, for want of space.
    Full,
    /// Every write, because the device says no.
    Write,
}

static FAULT: AtomicU8 = AtomicU8::new(Fault::None as u8);
/// Writes and syncs until everything fails; below zero for never.
static LEFT: AtomicI64 = AtomicI64::new(-1);
static TURN: Mutex<()> = Mutex::new(());
static BELOW: OnceLock<Below> = OnceLock::new();

type Open = unsafe extern "C" fn(
    *mut ffi::sqlite3_vfs,
    *const c_char,
    *mut ffi::sqlite3_file,
    c_int,
    *mut c_int,
) -> c_int;
type Write = unsafe extern "C" fn(*mut ffi::sqlite3_file, *const c_void, c_int, ffi::sqlite3_int64) -> c_int;
type Sync = unsafe extern "C" fn(*mut ffi::sqlite3_file, c_int) -> c_int;

/// The functions of the layer below. All files of the Unix layer share theirs.
struct Below {
    open: Open,
    files: OnceLock<(Write, Sync)>,
}

/// The use of the layer: one test at a time. Dropping it heals.
pub struct Faulty(#[allow(dead_code, reason = "held, not read")] MutexGuard<'static, ()>);

impl Faulty {
    /// Registers the layer, once, and waits for its turn.
    pub fn take() -> Faulty {
        let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        BELOW.get_or_init(register);
        Faulty(turn)
    }

    /// The same, for every file that SQLite opens from now on.
    pub fn take_all() -> Faulty {
        let turn = Faulty::take();
        // SAFETY: the layer was registered, and is never freed.
        unsafe {
            let layer = ffi::sqlite3_vfs_find(c"chinwag-faulty".as_ptr());
            assert_eq!(ffi::sqlite3_vfs_register(layer, 1), ffi::SQLITE_OK);
        }
        turn
    }

    /// After so many more writes and syncs everything fails, as if the process had ended there.
    pub fn end_after(&self, steps: u64) {
        LEFT.store(steps.cast_signed(), Ordering::SeqCst);
    }

    /// Whether that has happened. Heals.
    pub fn has_ended(&self) -> bool {
        let left = LEFT.swap(-1, Ordering::SeqCst);
        left == 0
    }

    /// What fails from now on.
    pub fn set(&self, fault: Fault) {
        FAULT.store(fault as u8, Ordering::SeqCst);
    }
}

impl Drop for Faulty {
    fn drop(&mut self) {
        self.set(Fault::None);
    }
}

fn register() -> Below {
    // SAFETY: the default layer exists for the whole life of the process; the copy is never freed, has a name of
    // its own that is never freed either, and differs only in `xOpen`.
    unsafe {
        let below = ffi::sqlite3_vfs_find(std::ptr::null());
        assert!(!below.is_null(), "SQLite has a default layer");
        let mut copy = Box::new(*below);
        let open = copy.xOpen.expect("every layer opens files");
        copy.zName = c"chinwag-faulty".as_ptr();
        copy.pNext = std::ptr::null_mut();
        copy.xOpen = Some(open_file);
        assert_eq!(ffi::sqlite3_vfs_register(Box::leak(copy), 0), ffi::SQLITE_OK);
        Below { open, files: OnceLock::new() }
    }
}

unsafe extern "C" fn open_file(
    vfs: *mut ffi::sqlite3_vfs,
    name: *const c_char,
    file: *mut ffi::sqlite3_file,
    flags: c_int,
    out: *mut c_int,
) -> c_int {
    let below = BELOW.get().expect("registered before it is used");
    // SAFETY: the arguments are SQLite's own, passed on to the function that they are for. After success the file
    // has methods; the copy of them differs in two functions and is never freed.
    unsafe {
        let code = (below.open)(vfs, name, file, flags, out);
        if code == ffi::SQLITE_OK && !(*file).pMethods.is_null() {
            let mut methods = Box::new(*(*file).pMethods);
            let write = methods.xWrite.expect("every file can be written");
            let sync = methods.xSync.expect("every file can be synced");
            below.files.get_or_init(|| (write, sync));
            methods.xWrite = Some(write_file);
            methods.xSync = Some(sync_file);
            (*file).pMethods = Box::leak(methods);
        }
        code
    }
}

fn below_files() -> (Write, Sync) {
    *BELOW.get().and_then(|below| below.files.get()).expect("a file was opened before it is used")
}

/// Counts a step; whether it may still happen.
fn goes_on() -> bool {
    let step = LEFT.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| (left > 0).then(|| left - 1));
    step.map_or_else(|left| left < 0, |_| true)
}

unsafe extern "C" fn write_file(
    file: *mut ffi::sqlite3_file,
    bytes: *const c_void,
    count: c_int,
    at: ffi::sqlite3_int64,
) -> c_int {
    let fault = FAULT.load(Ordering::SeqCst);
    if fault == Fault::Full as u8 {
        return ffi::SQLITE_FULL;
    }
    if fault == Fault::Write as u8 || !goes_on() {
        return ffi::SQLITE_IOERR_WRITE;
    }
    // SAFETY: SQLite's own arguments, passed on.
    unsafe { (below_files().0)(file, bytes, count, at) }
}

unsafe extern "C" fn sync_file(file: *mut ffi::sqlite3_file, flags: c_int) -> c_int {
    if FAULT.load(Ordering::SeqCst) == Fault::Sync as u8 || !goes_on() {
        return ffi::SQLITE_IOERR_FSYNC;
    }
    // SAFETY: SQLite's own arguments, passed on.
    unsafe { (below_files().1)(file, flags) }
}
