//! The page of figures: what it says, that it is OpenMetrics, and that the dashboard asks for nothing else.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::time::{Duration, Instant};

use chinwag_server::config::{Config, ListenerConfig, Listeners};
use chinwag_server::{Options, Server};
use chinwag_testkit::caller::Caller;

fn get(address: SocketAddr, path: &str) -> (String, String) {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.to_owned(), body.to_owned())
}

/// The value of a sample, by its name with its labels.
fn value(page: &str, sample: &str) -> f64 {
    let found = page.lines().find_map(|line| line.strip_prefix(sample)?.strip_prefix(' '));
    found.unwrap_or_else(|| panic!("no {sample} in {page}")).parse().unwrap()
}

/// The names of samples, without what a histogram adds.
fn names(page: &str) -> BTreeSet<String> {
    let samples = page.lines().filter(|line| !line.starts_with('#'));
    samples.map(|line| line.split(['{', ' ']).next().unwrap().to_owned()).collect()
}

fn is_openmetrics(page: &str) {
    assert!(page.ends_with("# EOF\n"), "{page}");
    let mut family = (String::new(), String::new());
    let mut seen = BTreeSet::new();
    for line in page.lines() {
        if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').unwrap();
            assert!(seen.insert(name.to_owned()), "{name} twice");
            family = (name.to_owned(), kind.to_owned());
        } else if let Some(rest) = line.strip_prefix("# HELP ") {
            assert!(rest.starts_with(&format!("{} ", family.0)) && rest.ends_with('.'), "{line}");
        } else if line != "# EOF" {
            let name = line.split(['{', ' ']).next().unwrap();
            let ending =
                name.strip_prefix(&family.0).unwrap_or_else(|| panic!("{line} is not of {}", family.0));
            let allowed: &[&str] = match family.1.as_str() {
                "counter" => &["_total"],
                "histogram" => &["_bucket", "_count", "_sum"],
                "info" => &["_info"],
                _ => &[""],
            };
            assert!(allowed.contains(&ending), "{line} of a {}", family.1);
            assert!(line.rsplit(' ').next().unwrap().parse::<f64>().is_ok(), "{line}");
        }
    }
}

/// One person by IRC, one by WebSocket, one at the plain door, five messages, and one who was refused.
fn says_what_happened(page: &str) {
    is_openmetrics(page);
    let about = |sample: &str, expected: f64| {
        let found = value(page, sample);
        assert!((found - expected).abs() < 0.01, "{sample} is {found}, not {expected}: {page}");
    };
    about("chinwag_sessions{door=\"irc\"}", 1.0);
    about("chinwag_sessions{door=\"web\"}", 1.0);
    about("chinwag_sessions{door=\"plain\"}", 1.0);
    about("chinwag_sessions{door=\"ssh\"}", 0.0);
    about("chinwag_messages_total", 5.0);
    about("chinwag_delivery_seconds_count", 5.0);
    about("chinwag_delivery_seconds_bucket{le=\"+Inf\"}", 5.0);
    about("chinwag_refusals_total{reason=\"connections_at_once\"}", 1.0);
    about("chinwag_refusals_total{reason=\"log_failed\"}", 0.0);
    about("chinwag_log_writable", 1.0);
    about("chinwag_log_queue_events", 0.0);
    assert!(value(page, "chinwag_log_events_total") >= 6.0, "{page}");
    assert!(value(page, "chinwag_log_commit_seconds_sum") > 0.0, "{page}");
    if cfg!(target_os = "linux") {
        assert!(value(page, "process_resident_memory_bytes") > 1e6, "{page}");
    }
    for name in ["ann", "bob", "#tea", "127.0.0.1"] {
        assert!(!page.contains(name), "{name} is nobody's business: {page}");
    }
}

fn holds_what_the_dashboard_asks_for(page: &str) {
    let dashboard = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packaging/grafana.json");
    let dashboard = std::fs::read_to_string(dashboard).unwrap();
    serde_json::from_str::<serde_json::Value>(&dashboard).unwrap();
    let words = dashboard.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    let asked: BTreeSet<&str> =
        words.filter(|word| word.starts_with("chinwag_") || word.starts_with("process_")).collect();
    let there = names(page);
    assert!(asked.len() > 10, "{asked:?}");
    for name in asked {
        assert!(
            there.contains(name) || there.contains(&format!("{name}_info")),
            "{name} is not in {there:?}"
        );
    }
}

#[test]
fn the_page_says_what_happens_and_the_dashboard_asks_for_what_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let any = SocketAddr::from(([127, 0, 0, 1], 0));
    let mut config =
        Config { listeners: Listeners(vec![ListenerConfig::any(any.into())]), ..Config::default() };
    config.metrics.address = Some(any);
    config.throttle.exempt.clear();
    config.throttle.connections_at_once = 3;
    let server = Server::bind(Options { config, data: folder.path().to_owned() }).unwrap();
    let (address, metrics) = (server.addresses()[0], server.metrics_address().unwrap());
    let control = server.control();
    let running = std::thread::spawn(move || server.run());

    let mut ann = Caller::member(address, "ann", "echo-message", "#tea");
    let mut bob = Caller::websocket(address, &["text.ircv3.net"]);
    bob.send("NICK bob\r\nUSER bob 0 * :bob");
    for n in 0..5 {
        ann.send(&format!("PRIVMSG #tea :{n}"));
        ann.until(|line| line.ends_with(&format!(":{n}")));
    }
    let mut plain = Caller::connect(address);
    plain.send("carl");
    plain.until(|line| line.contains("Welcome"));
    let mut fourth = Caller::connect(address);
    assert!(String::from_utf8(fourth.rest()).unwrap().contains("too many"));

    let until = Instant::now() + Duration::from_secs(20);
    let page = loop {
        let (head, page) = get(metrics, "/metrics");
        assert!(
            head.starts_with("HTTP/1.1 200 ") && head.contains("application/openmetrics-text; version=1.0.0"),
            "{head}"
        );
        if value(&page, "chinwag_sessions{door=\"web\"}") > 0.5
            && value(&page, "chinwag_users") > 2.5
            && value(&page, "chinwag_log_queue_events") < 0.5
        {
            break page;
        }
        assert!(Instant::now() < until, "{page}");
    };
    says_what_happened(&page);
    holds_what_the_dashboard_asks_for(&page);
    assert!(get(metrics, "/").0.starts_with("HTTP/1.1 404 "));
    drop(ann);
    let until = Instant::now() + Duration::from_secs(20);
    while value(&get(metrics, "/metrics").1, "chinwag_sessions{door=\"irc\"}") > 0.5 {
        assert!(Instant::now() < until, "who left is counted");
    }
    control.stop();
    running.join().unwrap().unwrap();
}
