//! `chinwag doctor`: looks at everything that a server needs, and says in a sentence each what it found and what to do.
//! Changes nothing; a server may run meanwhile.

use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::time::Duration;

use chinwag_archive::{CopyError, Examined};
use chinwag_server::Config;
use chinwag_server::config::{Address, TlsMode};
use rustix::process::{Resource, getrlimit};

use crate::cli::DoctorArgs;
use crate::progress::{self, Line, now_ms};
use crate::{Failure, folder, print};

/// Less than so many bytes free is little, and so few are a danger.
const FREE_LITTLE: u64 = 2_000_000_000;
const FREE_DANGER: u64 = 200_000_000;

/// A certificate that ends in fewer days is to be renewed.
const RENEW_DAYS: i64 = 21;

/// Entries that the index of words may be behind without a word.
const BEHIND_MAX: u64 = 100_000;

/// Descriptors below which callers find no place.
const DESCRIPTORS_MIN: u64 = 4_096;

/// 2026-01-01, before which no clock is right.
const EARLIEST_MS: u64 = 1_767_225_600_000;

/// Free bytes in the database that are worth a word.
const FREE_PAGES_MAX: u64 = 50_000_000;

const DAY_MS: u64 = 86_400_000;

/// How bad something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Weight {
    Fine,
    Look,
    Bad,
}

/// Something that was found.
struct Finding {
    weight: Weight,
    about: &'static str,
    sentence: String,
}

/// All that was found.
#[derive(Default)]
struct Findings(Vec<Finding>);

impl Findings {
    fn add(&mut self, weight: Weight, about: &'static str, sentence: impl Into<String>) {
        self.0.push(Finding { weight, about, sentence: sentence.into() });
    }

    fn fine(&mut self, about: &'static str, sentence: impl Into<String>) {
        self.add(Weight::Fine, about, sentence);
    }

    fn look(&mut self, about: &'static str, sentence: impl Into<String>) {
        self.add(Weight::Look, about, sentence);
    }

    fn bad(&mut self, about: &'static str, sentence: impl Into<String>) {
        self.add(Weight::Bad, about, sentence);
    }
}

/// Looks, and says what it found. Fails when something is bad.
pub(crate) fn run(args: DoctorArgs) -> Result<(), Failure> {
    let config = args.config.as_deref().map_or_else(|| Ok(Config::default()), Config::read);
    let config = config.map_err(|error| Failure::Usage(error.to_string()))?;
    let data = folder::data(args.data)?;
    let mut found = Findings::default();
    clock(&mut found, None);
    if data.is_dir() {
        permissions(&mut found, &data);
        disk(&mut found, &data);
        let mut line = Line::new();
        line.say_now("reading the database");
        let examined = chinwag_archive::examine(&data, now_ms());
        drop(line);
        database(&mut found, &data, examined);
        files(&mut found, &data);
        certificates(&mut found, &config, &data);
    } else {
        found.look(
            "data",
            format!(
                "there is no folder {} yet: `chinwag serve` makes it; --data names another one",
                data.display()
            ),
        );
    }
    ports(&mut found, &config);
    limits(&mut found);
    rates(&mut found, &config);
    memory(&mut found, config.limits.memory_bytes, machine_bytes());
    print(&if args.json { for_programs(&found) } else { for_people(&found) })?;
    let bad = found.0.iter().filter(|finding| finding.weight == Weight::Bad).count();
    match bad {
        0 => Ok(()),
        1 => Err(Failure::Failed("one thing is bad; its sentence says what to do".to_owned())),
        bad => Err(Failure::Failed(format!("{bad} things are bad; their sentences say what to do"))),
    }
}

/// A line a finding.
fn for_people(found: &Findings) -> String {
    let mut text = String::new();
    for Finding { weight, about, sentence } in &found.0 {
        let mark = match weight {
            Weight::Fine => "fine",
            Weight::Look => "look",
            Weight::Bad => "BAD ",
        };
        text.push_str(&format!("{mark}  {about}: {sentence}\n"));
    }
    text
}

/// The same as JSON.
fn for_programs(found: &Findings) -> String {
    let findings = found.0.iter().map(|Finding { weight, about, sentence }| {
        let weight = match weight {
            Weight::Fine => "fine",
            Weight::Look => "look",
            Weight::Bad => "bad",
        };
        serde_json::json!({ "weight": weight, "about": about, "sentence": sentence })
    });
    format!("{}\n", serde_json::Value::from_iter(findings))
}

fn clock(found: &mut Findings, last_ms: Option<u64>) {
    let now = now_ms();
    match last_ms {
        None if now < EARLIEST_MS => {
            found.bad("clock", format!("it says {}, which is long ago: set it, best by NTP", progress::time(now)));
        }
        None => found.fine("clock", format!("it is {}", progress::time(now))),
        Some(last) if last > now + 5 * 60_000 => found.bad(
            "clock",
            format!(
                "the last message is of {}, which is still to come: the clock was set back, or was wrong then; set it, best by NTP",
                progress::time(last)
            ),
        ),
        Some(_) => {}
    }
}

#[cfg(unix)]
fn permissions(found: &mut Findings, data: &Path) {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    let Ok(metadata) = std::fs::metadata(data) else {
        return found.bad(
            "permissions",
            format!("{} cannot be looked at: run this as the server's user", data.display()),
        );
    };
    let mode = metadata.permissions().mode() & 0o777;
    if mode & 0o077 == 0 {
        found.fine("permissions", format!("only its owner gets into {}", data.display()));
    } else {
        let sentence = format!(
            "others get into {} (mode {mode:o}), and could read what people say: chmod 700 {}",
            data.display(),
            data.display()
        );
        found.bad("permissions", sentence);
    }
    let keys = ["tls-key.pem", "ssh_host_ed25519_key", chinwag_archive::DATABASE_FILE];
    for key in keys {
        let Ok(key_metadata) = std::fs::metadata(data.join(key)) else { continue };
        if mode & 0o077 != 0 && key_metadata.permissions().mode() & 0o077 != 0 {
            found
                .bad("permissions", format!("others can read {key}: chmod 600 {}", data.join(key).display()));
        }
        if key_metadata.uid() != metadata.uid() {
            let sentence = format!(
                "{key} belongs to another user than the folder: chown it, or the server may not be able to use it"
            );
            found.look("permissions", sentence);
        }
    }
}

#[cfg(not(unix))]
fn permissions(_: &mut Findings, _: &Path) {}

#[cfg(unix)]
fn disk(found: &mut Findings, data: &Path) {
    match rustix::fs::statvfs(data) {
        Ok(disk) => space(found, disk.f_bavail.saturating_mul(disk.f_frsize)),
        Err(error) => found.look("disk", format!("the free space is not known: {error}")),
    }
}

#[cfg(not(unix))]
fn disk(_: &mut Findings, _: &Path) {}

fn space(found: &mut Findings, free: u64) {
    let shown = progress::bytes(free);
    if free < FREE_DANGER {
        found
            .bad("disk", format!("only {shown} are free: when they are gone nothing can be said; free some"));
    } else if free < FREE_LITTLE {
        found.look("disk", format!("{shown} are free, which is little: think of more"));
    } else {
        found.fine("disk", format!("{shown} are free"));
    }
}

fn database(found: &mut Findings, data: &Path, examined: Result<Examined, CopyError>) {
    let Examined { form, damage, head, events_of_week, bytes, free_bytes, index_behind } = match examined {
        Ok(examined) => examined,
        Err(CopyError::Nothing(_)) => return found.look("database", "nothing is kept yet"),
        Err(error) => return found.bad("database", error.to_string()),
    };
    match damage {
        Some(what) => found.bad(
            "integrity",
            format!("the database is damaged ({what}): stop the server, keep a copy of {}, and `chinwag restore` the last backup", data.display()),
        ),
        None => found.fine("integrity", format!("the database is whole, {} with its index", progress::bytes(bytes))),
    }
    match form {
        (is, known) if is == known => found.fine("schema", format!("form {is}, as this version writes it")),
        (is, known) => found.look("schema", format!("form {is}; this version brings it to {known} when it starts, and keeps a snapshot for `chinwag rollback`")),
    }
    clock(found, Some(head.1));
    if free_bytes > FREE_PAGES_MAX {
        let shown = progress::bytes(free_bytes);
        let sentence = format!(
            "{shown} of it are free and used for what is said next; a running server gives back what is more than an eighth of the file"
        );
        found.fine("database", sentence);
    }
    found.fine("rates", format!("{} events, {events_of_week} in the last seven days", head.0));
    match index_behind {
        Some(behind) if behind > BEHIND_MAX => {
            let sentence = format!(
                "the index of words is {behind} entries behind: a running server catches up; otherwise start one"
            );
            found.look("search", sentence);
        }
        Some(_) => found.fine("search", "the index of words is up to date"),
        None => found.look("search", "there is no index of words yet: a running server makes it"),
    }
}

/// What the certificate authority said last, where certificates are ordered.
fn authority(found: &mut Findings, config: &Config, data: &Path) {
    if !config.acme.enabled() {
        return;
    }
    let names = config.acme.domains.join(", ");
    match chinwag_server::AcmeKept::read(data).failure {
        Some(failure) => {
            let (at, tries, why) = (progress::time(failure.at_ms), failure.tries, failure.why);
            let sentence = format!(
                "no certificate for {names} could be had on {at}, {tries} times in a row ({why}): the names have to lead \
                 here, and port 443 or 80 has to reach the server; it tries again by itself"
            );
            found.look("acme", sentence);
        }
        None => {
            found.fine("acme", format!("the certificate for {names} is ordered and renewed by the server"))
        }
    }
}

/// What people handed in.
fn files(found: &mut Findings, data: &Path) {
    use chinwag_files::Examined;
    match chinwag_files::examine(data) {
        Ok(None) => found.fine("files", "nobody has handed in a file"),
        Ok(Some(Examined { links, bytes, orphans: 0, missing: 0 })) => {
            found.fine("files", format!("{links} files, {}", progress::bytes(bytes)));
        }
        Ok(Some(Examined { links, orphans, missing: 0, .. })) => {
            let sentence = format!(
                "{links} files, and {orphans} contents that nothing leads to: the next start removes them"
            );
            found.look("files", sentence);
        }
        Ok(Some(Examined { links, missing, .. })) => {
            let sentence = format!(
                "the contents of {missing} of {links} files are missing: bring the folder {} back from a backup before the \
                 next start, which forgets them",
                data.join(chinwag_files::FOLDER).display()
            );
            found.bad("files", sentence);
        }
        Err(error) => found.bad("files", format!("they cannot be looked at: {error}")),
    }
}

fn certificates(found: &mut Findings, config: &Config, data: &Path) {
    authority(found, config, data);
    let mut files: Vec<PathBuf> = Vec::new();
    for listener in &config.listeners.0 {
        let file = match (&listener.tls, &listener.tls_cert) {
            (TlsMode::Off, _) => continue,
            (_, Some(file)) => file.clone(),
            (_, None) if config.acme.enabled() => data.join(chinwag_server::ACME_CERTIFICATE),
            (_, None) => data.join("tls-cert.pem"),
        };
        if !files.contains(&file) {
            files.push(file);
        }
    }
    for file in files {
        let shown = file.display();
        match chinwag_server::certificate_ends(&file) {
            Ok(ends_ms) => {
                let days = (i64::try_from(ends_ms).unwrap_or(i64::MAX) - now_ms().cast_signed())
                    / DAY_MS.cast_signed();
                let until = progress::time(ends_ms);
                if days < 0 {
                    found.bad(
                        "certificate",
                        format!("{shown} ended on {until}: renew it, then send the server SIGHUP"),
                    );
                } else if days < RENEW_DAYS {
                    found.look(
                        "certificate",
                        format!("{shown} ends on {until}: renew it, then send the server SIGHUP"),
                    );
                } else {
                    found.fine("certificate", format!("{shown} is good until {until}"));
                }
            }
            Err(error) if !file.exists() && file.starts_with(data) => {
                tracing::debug!(%error, "no certificate yet");
                let made = if config.acme.enabled() {
                    "orders one while it runs"
                } else {
                    "makes one at its first start"
                };
                found.fine("certificate", format!("the server {made}"));
            }
            Err(error) => found.bad("certificate", error),
        }
    }
}

fn ports(found: &mut Findings, config: &Config) {
    for listener in &config.listeners.0 {
        let Address::Tcp(address) = &listener.address else { continue };
        match TcpListener::bind(address) {
            Ok(_) => found.fine("ports", format!("{address} is free: no server listens there")),
            Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => taken(found, *address),
            Err(error) => {
                found.bad(
                    "ports",
                    format!("nobody can listen on {address}: {error}; choose another address or port"),
                );
            }
        }
    }
}

/// Somebody listens there: a chinwag, or somebody else.
fn taken(found: &mut Findings, address: SocketAddr) {
    let reached = match address.ip() {
        ip if ip.is_unspecified() => SocketAddr::from(([127, 0, 0, 1], address.port())),
        _ => address,
    };
    if is_chinwag(reached).unwrap_or(false) {
        found.fine("ports", format!("a server answers on {address}"));
    } else {
        found.look("ports", format!("something listens on {address} that does not answer as chinwag does: stop it, or choose another port"));
    }
}

/// Whether whoever listens there says that it is well, as chinwag does.
fn is_chinwag(address: SocketAddr) -> std::io::Result<bool> {
    use std::io::{Read, Write};
    let within = Duration::from_secs(3);
    let mut stream = std::net::TcpStream::connect_timeout(&address, within)?;
    stream.set_read_timeout(Some(within))?;
    stream.write_all(
        format!("GET /healthz HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").as_bytes(),
    )?;
    let mut answer = Vec::new();
    stream.take(4_096).read_to_end(&mut answer)?;
    let answer = String::from_utf8_lossy(&answer);
    Ok(answer.starts_with("HTTP/1.1 200") && answer.ends_with("ok\n")
        || answer.contains("walk in on this port"))
}

/// What strangers may do without a limit.
fn rates(found: &mut Findings, config: &Config) {
    let throttle = &config.throttle;
    let switches = [
        ("connections", throttle.connections),
        ("commands", throttle.commands),
        ("logins", throttle.logins),
        ("rooms", throttle.rooms),
        ("accounts", throttle.accounts),
        ("joins", throttle.joins),
        ("nicks", throttle.nicks),
        ("strangers", throttle.strangers),
    ];
    let off: Vec<&str> = switches.iter().filter(|(_, on)| !on).map(|(name, _)| *name).collect();
    if !off.is_empty() {
        let sentence =
            format!("[throttle] has {} switched off: whoever comes may do as much", off.join(", "));
        found.look("rates", sentence);
    }
    if throttle.exempt.iter().any(|net| net.prefix_len() == 0) {
        found.look("rates", "throttle.exempt holds every address: name only those that you trust");
    } else if off.is_empty() {
        found.fine("rates", "what strangers do has a limit");
    }
}

/// Whether the budget fits into the machine.
fn memory(found: &mut Findings, budget: u64, machine: Option<u64>) {
    const MIB: u64 = 1 << 20;
    match machine {
        _ if budget == 0 => {
            found.look("memory", "limits.memory_bytes = 0: callers can take all the memory of this machine");
        }
        Some(machine) if budget > machine / 4 * 3 => found.look(
            "memory",
            format!(
                "callers may take {} MiB of this machine's {}: make limits.memory_bytes smaller",
                budget / MIB,
                machine / MIB
            ),
        ),
        _ => found.fine("memory", format!("callers take at most {} MiB", budget / MIB)),
    }
}

/// The memory of the machine in bytes, where the system says so.
fn machine_bytes() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let kib = text.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    kib.trim().strip_suffix(" kB")?.parse::<u64>().ok().map(|kib| kib * 1024)
}

fn limits(found: &mut Findings) {
    match getrlimit(Resource::Nofile).maximum {
        Some(most) if most < DESCRIPTORS_MIN => found.look(
            "limits",
            format!(
                "only {most} connections can be open (ulimit -Hn): raise it, LimitNOFILE= in a systemd unit"
            ),
        ),
        Some(most) => found.fine("limits", format!("{most} connections can be open")),
        None => found.fine("limits", "any number of connections can be open"),
    }
}
