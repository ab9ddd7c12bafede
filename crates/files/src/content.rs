//! What is coming in: written to a file of a passing name, counted, hashed and looked at on the way.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use aws_lc_rs::digest::{Context, SHA256};

use crate::media::TextCheck;
use crate::{COMING, FOLDER, Media, draw};

/// First bytes that are looked at.
const HEAD_BYTES: usize = 512;

/// A content that is coming in. Dropped before it is whole, it leaves nothing behind.
pub struct Incoming {
    file: File,
    place: Passing,
    hash: Context,
    size: u64,
    head: Vec<u8>,
    text: TextCheck,
}

/// A content that has come whole and is on the disk, under a passing name. Dropped before it is kept, it goes.
#[derive(Debug)]
pub struct Complete {
    pub(crate) place: Passing,
    pub(crate) hash: Hash,
    /// Its bytes.
    pub size: u64,
    /// What it is.
    pub media: Media,
}

/// The SHA-256 of a content.
pub(crate) type Hash = [u8; 32];

/// A file that goes when this is dropped, unless it was taken elsewhere.
#[derive(Debug)]
pub(crate) struct Passing(Option<PathBuf>);

impl Passing {
    pub(crate) fn path(&self) -> &Path {
        self.0.as_deref().unwrap_or(Path::new(""))
    }

    /// It has another name now.
    pub(crate) fn taken(&mut self) {
        self.0 = None;
    }
}

impl Drop for Passing {
    fn drop(&mut self) {
        if let Some(path) = &self.0
            && let Err(error) = std::fs::remove_file(path)
        {
            tracing::warn!(%error, "what came of a file stays until the next start");
        }
    }
}

impl Incoming {
    /// Begins in a data folder.
    ///
    /// # Errors
    /// When there can be no new file.
    pub fn begin(data: &Path) -> io::Result<Incoming> {
        let folder = data.join(FOLDER).join(COMING);
        std::fs::create_dir_all(&folder)?;
        let path = folder.join(draw());
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(&path)?;
        let place = Passing(Some(path));
        let (hash, head, text) = (Context::new(&SHA256), Vec::new(), TextCheck::new());
        Ok(Incoming { file, place, hash, size: 0, head, text })
    }

    /// The bytes so far.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Takes the next bytes.
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn take(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes)?;
        self.hash.update(bytes);
        self.size += bytes.len() as u64;
        let more = bytes.len().min(HEAD_BYTES.saturating_sub(self.head.len()));
        self.head.extend_from_slice(&bytes[..more]);
        self.text.take(bytes);
        Ok(())
    }

    /// That was all of it: brings it to the disk. When its name, or what is `said` of its kind, stands for something that
    /// browsers run, that is believed: such a text is never shown as one.
    ///
    /// # Errors
    /// When the disk does not take it.
    pub fn finish(self, name: &str, said: &str) -> io::Result<Complete> {
        self.file.sync_all()?;
        let Incoming { place, hash, size, head, text, .. } = self;
        let mut media = Media::of(&head, text.holds());
        if media == Media::Text && is_suspect(name, said) {
            media = Media::Other;
        }
        let mut digest = [0; 32];
        digest.copy_from_slice(hash.finish().as_ref());
        Ok(Complete { place, hash: digest, size, media })
    }
}

/// Whether a browser would run what has this name, or is said to be of this kind.
fn is_suspect(name: &str, said: &str) -> bool {
    let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending).to_ascii_lowercase();
    let endings = [
        "htm", "html", "xhtml", "xht", "shtml", "mht", "svg", "svgz", "xml", "xsl", "js", "mjs", "pdf", "swf",
    ];
    let said = said.to_ascii_lowercase();
    let words = ["html", "svg", "xml", "javascript", "ecmascript", "pdf"];
    endings.contains(&&*ending) || words.iter().any(|word| said.contains(word))
}

/// The path of a content in the data folder.
pub(crate) fn path(data: &Path, hash: &[u8]) -> PathBuf {
    let name: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    data.join(FOLDER).join(&name[..2]).join(&name[2..])
}

/// The content whose path this is, by the name of its folder and its own.
pub(crate) fn hash_of(folder: &str, name: &str) -> Option<Vec<u8>> {
    let digits = format!("{folder}{name}");
    let plain = digits.len() == 64 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    let pairs = (0..32).map(|at| u8::from_str_radix(digits.get(2 * at..2 * at + 2)?, 16).ok());
    if plain { pairs.collect() } else { None }
}

/// Makes sure that the names of a folder are on the disk, where the system can.
pub(crate) fn sync_folder(folder: &Path) {
    // Some file systems cannot; then nothing more can be done.
    if let Ok(folder) = File::open(folder) {
        let _ = folder.sync_all();
    }
}
