//! The server's own page of figures.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Result, ensure};

/// How long the page may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// Samples by their names, labels included.
pub struct Page(BTreeMap<String, f64>);

impl Page {
    /// Asks for it.
    ///
    /// # Errors
    /// When there is none.
    pub fn read(address: SocketAddr) -> Result<Page> {
        let mut stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: figures\r\n\r\n")?;
        let mut text = String::new();
        stream.read_to_string(&mut text)?;
        ensure!(text.starts_with("HTTP/1.1 200 "), "{}", text.lines().next().unwrap_or("nothing came"));
        Ok(Page::parse(&text))
    }

    fn parse(text: &str) -> Page {
        let sample = |line: &str| {
            let (name, value) = line.rsplit_once(' ')?;
            Some((name.to_owned(), value.parse().ok()?))
        };
        Page(text.lines().filter(|line| line.starts_with("chinwag_")).filter_map(sample).collect())
    }

    /// A sample.
    pub fn value(&self, name: &str) -> Option<f64> {
        self.0.get(name).copied()
    }

    /// A sample of a counter with one label, in whole numbers.
    pub fn count(&self, name: &str, label: &str, value: &str) -> u64 {
        self.value(&format!("{name}_total{{{label}=\"{value}\"}}")).unwrap_or(0.0) as u64
    }

    /// Every sample of a family with one label, by the label's value.
    pub fn all<'p>(&'p self, name: &'p str) -> impl Iterator<Item = (&'p str, f64)> {
        self.0.iter().filter_map(move |(sample, value)| {
            let (_, label) = sample.strip_prefix(name)?.strip_prefix('{')?.split_once("=\"")?;
            Some((label.strip_suffix("\"}")?, *value))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_are_found_by_their_labels() {
        let text = "# TYPE x counter\nchinwag_refusals_total{reason=\"memory\"} 7\nchinwag_users 2\n";
        let page = Page::parse(text);
        assert_eq!(page.count("chinwag_refusals", "reason", "memory"), 7);
        assert_eq!(page.count("chinwag_refusals", "reason", "other"), 0);
        assert_eq!(page.value("chinwag_users"), Some(2.0));
        assert_eq!(page.all("chinwag_refusals_total").collect::<Vec<_>>(), [("memory", 7.0)]);
    }
}
