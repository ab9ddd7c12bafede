//! A server as a process of its own: started, measured from outside, killed at the end.

use std::fs::{self, File};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// Servers and load run wherever the system puts them.
pub static UNPINNED: AtomicBool = AtomicBool::new(false);

/// What a server prints, in its folder.
pub const SERVER_LOG: &str = "server.log";

/// A running server. It is killed when this is dropped.
pub struct Process {
    child: Child,
    /// Where it listens.
    pub address: SocketAddr,
}

/// Memory of a process, in bytes.
#[derive(Clone, Copy, Debug)]
pub struct Memory {
    /// Everything resident, shared pages of the program included.
    pub resident: u64,
    /// Resident and its own: heap and stacks.
    pub anonymous: u64,
}

impl Process {
    /// Starts a server that will listen on `address`, and waits until it accepts. What it prints goes into
    /// `server.log` in `folder`.
    ///
    /// # Errors
    /// When it cannot be started, ends early, or does not accept within ten seconds.
    pub fn start(mut command: Command, address: SocketAddr, folder: &Path) -> Result<Process> {
        let log = folder.join(SERVER_LOG);
        let file = File::create(&log).with_context(|| format!("cannot write {}", log.display()))?;
        command.stdin(Stdio::null()).stdout(file.try_clone()?).stderr(file);
        let child =
            apart(|| command.spawn()).with_context(|| format!("cannot start {:?}", command.get_program()))?;
        let mut process = Process { child, address };
        let deadline = Instant::now() + Duration::from_secs(10);
        while TcpStream::connect(address).is_err() {
            let ended = process.child.try_wait()?;
            if ended.is_some() || Instant::now() > deadline {
                let said = fs::read_to_string(&log).unwrap_or_default();
                bail!("{:?} does not listen on {address}; it said:\n{said}", command.get_program());
            }
            std::thread::sleep(Duration::from_micros(100));
        }
        Ok(process)
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// User and system time of all its threads so far.
    ///
    /// # Errors
    /// When the process has ended, or `/proc` is not there.
    pub fn cpu(&self) -> Result<Duration> {
        let tasks = format!("/proc/{}/task", self.id());
        let mut nanoseconds = 0;
        for task in fs::read_dir(&tasks).with_context(|| format!("{tasks}: the server has ended"))? {
            // The first field is the time on a CPU: what utime and stime are made from, without their ticks.
            let Ok(text) = fs::read_to_string(task?.path().join("schedstat")) else { continue };
            nanoseconds += text.split(' ').next().and_then(|field| field.parse::<u64>().ok()).unwrap_or(0);
        }
        if nanoseconds == 0 { self.cpu_in_ticks() } else { Ok(Duration::from_nanos(nanoseconds)) }
    }

    /// The same from `/proc/PID/stat`, in ticks of 10 ms, for kernels without schedstat.
    fn cpu_in_ticks(&self) -> Result<Duration> {
        let text = fs::read_to_string(format!("/proc/{}/stat", self.id())).context("the server has ended")?;
        // The second field is the name in parentheses and may hold blanks: count from behind it.
        let fields = text.rsplit(')').next().unwrap_or_default().split_whitespace();
        let ticks: u64 = fields.skip(11).take(2).filter_map(|field| field.parse::<u64>().ok()).sum();
        Ok(Duration::from_millis(ticks * 10))
    }

    /// Its memory now.
    ///
    /// # Errors
    /// When the process has ended, or `/proc` is not there.
    pub fn memory(&self) -> Result<Memory> {
        let text =
            fs::read_to_string(format!("/proc/{}/status", self.id())).context("the server has ended")?;
        let field = |name: &str| -> u64 {
            let line = text.lines().find(|line| line.starts_with(name)).unwrap_or_default();
            line.split_whitespace().nth(1).and_then(|kib| kib.parse::<u64>().ok()).unwrap_or(0) * 1024
        };
        Ok(Memory { resident: field("VmRSS:"), anonymous: field("RssAnon:") })
    }

    /// Its memory once it has stopped changing (at most five seconds later).
    ///
    /// # Errors
    /// As [`Process::memory`].
    pub fn settled_memory(&self) -> Result<Memory> {
        let mut last = self.memory()?;
        for _ in 0..10 {
            std::thread::sleep(Duration::from_millis(500));
            let now = self.memory()?;
            if now.anonymous.abs_diff(last.anonymous) < 64 * 1024 {
                return Ok(now);
            }
            last = now;
        }
        Ok(last)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself; there is nobody to tell.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Starts a server on the first half of the processors, and goes on, with the load, on the second half.
///
/// Left alone the system sometimes runs a server and the load on one processor and sometimes on two, and that
/// decides about half of what a send costs. With this every server meets the load in the same way. Where it
/// is not allowed, or there is one processor only, they run as they come.
fn apart<T>(start: impl FnOnce() -> T) -> T {
    static ALL: OnceLock<Vec<usize>> = OnceLock::new();
    let all = ALL.get_or_init(|| {
        let set = sched_getaffinity(None).unwrap_or_else(|_| CpuSet::new());
        (0..CpuSet::MAX_CPU).filter(|&processor| set.is_set(processor)).collect()
    });
    if all.len() < 2 || UNPINNED.load(Ordering::Relaxed) {
        return start();
    }
    let stay_on = |processors: &[usize]| {
        let mut set = CpuSet::new();
        processors.iter().for_each(|&processor| set.set(processor));
        // A refusal leaves everything as it is.
        let _ = sched_setaffinity(None, &set);
    };
    let (servers, load) = all.split_at(all.len() / 2);
    // Children inherit it.
    stay_on(servers);
    let started = start();
    stay_on(load);
    started
}

/// The processor time of this process's own threads of that name, so far.
///
/// # Errors
/// When the kernel does not tell.
pub fn cpu_of_threads(name: &str) -> Result<Duration> {
    let mut nanoseconds = 0;
    for task in fs::read_dir("/proc/self/task")? {
        let path = task?.path();
        // One may end meanwhile.
        let Ok(found) = fs::read_to_string(path.join("comm")) else { continue };
        if found.trim_end() == name {
            let text = fs::read_to_string(path.join("schedstat"))?;
            let first = text.split_whitespace().next().context("schedstat is empty")?;
            nanoseconds += first.parse::<u64>()?;
        }
    }
    Ok(Duration::from_nanos(nanoseconds))
}

/// A loopback address that nobody listens on at the moment.
///
/// # Errors
/// When there is no free port.
pub fn free_address() -> Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0").context("no free port on 127.0.0.1")?;
    Ok(listener.local_addr()?)
}

/// Allows this process, and the servers it starts, as many open files as the system lets it have.
pub fn raise_open_files() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    // Failing leaves the limit as it is; the bench that needs more says so when it cannot connect.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum });
}
