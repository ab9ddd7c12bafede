//! What a content is: by its own bytes, never by what somebody says of it.
//!
//! Browsers show only what is on this short list; everything else they are told to save. A content that is two things at
//! once is served as the one that it is here, with `nosniff`, so that it is that one and nothing else.

/// What a content is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Media {
    /// A picture.
    Png,
    /// A picture.
    Jpeg,
    /// A picture, maybe one that moves.
    Gif,
    /// A picture.
    Webp,
    /// A text in UTF-8.
    Text,
    /// Pictures that move, with sound.
    Mp4,
    /// Sound.
    M4a,
    /// Pictures that move, with sound.
    Webm,
    /// Sound.
    Ogg,
    /// Pictures that move, with sound.
    Ogv,
    /// Sound.
    Mp3,
    /// Anything else, also what browsers would run: HTML, SVG, XML, PDF, programs.
    Other,
}

impl Media {
    const ALL: [Media; 12] = [
        Media::Png,
        Media::Jpeg,
        Media::Gif,
        Media::Webp,
        Media::Text,
        Media::Mp4,
        Media::M4a,
        Media::Webm,
        Media::Ogg,
        Media::Ogv,
        Media::Mp3,
        Media::Other,
    ];

    /// As HTTP has it.
    pub const fn name(self) -> &'static str {
        match self {
            Media::Png => "image/png",
            Media::Jpeg => "image/jpeg",
            Media::Gif => "image/gif",
            Media::Webp => "image/webp",
            Media::Text => "text/plain; charset=utf-8",
            Media::Mp4 => "video/mp4",
            Media::M4a => "audio/mp4",
            Media::Webm => "video/webm",
            Media::Ogg => "audio/ogg",
            Media::Ogv => "video/ogg",
            Media::Mp3 => "audio/mpeg",
            Media::Other => "application/octet-stream",
        }
    }

    /// The one of this name; [`Media::Other`] when there is none.
    pub fn named(name: &str) -> Media {
        Media::ALL.into_iter().find(|media| media.name() == name).unwrap_or(Media::Other)
    }

    /// Whether browsers may show it.
    pub fn is_shown(self) -> bool {
        self != Media::Other
    }

    /// Whether it is a picture.
    pub fn is_picture(self) -> bool {
        matches!(self, Media::Png | Media::Jpeg | Media::Gif | Media::Webp)
    }

    /// Whether it is one of these: `image/png`, `image/*`, `*/*`.
    pub fn is_among(self, allowed: &[String]) -> bool {
        let name = self.name().split(';').next().unwrap_or("");
        let whole = name.split('/').next().unwrap_or("");
        allowed.iter().any(|pattern| {
            pattern == "*/*"
                || pattern == name
                || pattern.strip_suffix("/*").is_some_and(|kind| kind == whole)
        })
    }

    /// What the bytes are, of which these are the first; `text` where all of them are a text.
    pub fn of(head: &[u8], text: bool) -> Media {
        let brand = head.get(8..12).unwrap_or(b"");
        match head {
            [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => Media::Png,
            [0xff, 0xd8, 0xff, ..] => Media::Jpeg,
            [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Media::Gif,
            [b'R', b'I', b'F', b'F', ..] if brand == b"WEBP" => Media::Webp,
            [_, _, _, _, b'f', b't', b'y', b'p', ..] if brand.starts_with(b"M4A") => Media::M4a,
            [_, _, _, _, b'f', b't', b'y', b'p', ..] => Media::Mp4,
            [0x1a, 0x45, 0xdf, 0xa3, ..] if has(head, b"webm") => Media::Webm,
            [b'O', b'g', b'g', b'S', ..] if has(head, b"theora") => Media::Ogv,
            [b'O', b'g', b'g', b'S', ..] => Media::Ogg,
            [b'I', b'D', b'3', ..] | [0xff, 0xfb | 0xf3 | 0xf2, ..] => Media::Mp3,
            _ if text && !is_markup(head) => Media::Text,
            _ => Media::Other,
        }
    }
}

fn has(head: &[u8], word: &[u8]) -> bool {
    head.get(..64.min(head.len())).is_some_and(|head| head.windows(word.len()).any(|part| part == word))
}

/// Whether a text begins as something that a browser would run begins: with a tag, or with a mark and a tag.
fn is_markup(head: &[u8]) -> bool {
    let text = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head).trim_ascii_start();
    text.starts_with(b"<") || text.starts_with(b"%PDF") || text.starts_with(b"%!PS")
}

/// Whether bytes that come in pieces are a text: UTF-8 without control characters that no text has.
#[derive(Clone, Debug)]
pub(crate) struct TextCheck {
    holds: bool,
    /// The beginning of a character whose rest has not come.
    open: Vec<u8>,
}

impl TextCheck {
    pub(crate) fn new() -> TextCheck {
        TextCheck { holds: true, open: Vec::new() }
    }

    pub(crate) fn take(&mut self, bytes: &[u8]) {
        let odd = |byte: &u8| {
            (*byte < 0x20 || *byte == 0x7f) && !matches!(byte, b'\t' | b'\n' | b'\r' | 0x0c | 0x1b)
        };
        self.holds = self.holds && !bytes.iter().any(odd);
        if !self.holds {
            return;
        }
        let mut all = std::mem::take(&mut self.open);
        all.extend_from_slice(bytes);
        match std::str::from_utf8(&all) {
            Ok(_) => {}
            Err(error) if error.error_len().is_some() => self.holds = false,
            Err(error) => self.open = all.split_off(error.valid_up_to()),
        }
    }

    /// Whether all that came is one.
    pub(crate) fn holds(&self) -> bool {
        self.holds && self.open.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(bytes: &[u8]) -> Media {
        let mut check = TextCheck::new();
        bytes.chunks(3).for_each(|piece| check.take(piece));
        Media::of(bytes, check.holds())
    }

    #[test]
    fn contents_are_what_their_bytes_are() {
        for (bytes, media) in [
            (&b"\x89PNG\r\n\x1a\n...."[..], Media::Png),
            (b"\xff\xd8\xff\xe0", Media::Jpeg),
            (b"GIF89a/*<script>alert(1)</script>*/", Media::Gif),
            (b"RIFF\0\0\0\0WEBPVP8 ", Media::Webp),
            (b"RIFF\0\0\0\0WAVE", Media::Other),
            (b"\0\0\0\x20ftypisom", Media::Mp4),
            (b"\0\0\0\x20ftypM4A ", Media::M4a),
            (b"\x1a\x45\xdf\xa3\x01\x42\x82\x84webm", Media::Webm),
            (b"OggS\0\x02OpusHead", Media::Ogg),
            (b"ID3\x04", Media::Mp3),
            ("Grüße, 世界\n".as_bytes(), Media::Text),
            (b"", Media::Text),
            (b"<!doctype html><script>alert(1)</script>", Media::Other),
            (b"\xef\xbb\xbf \n<svg onload=alert(1)>", Media::Other),
            (b"<?xml version=\"1.0\"?>", Media::Other),
            (b"%PDF-1.7", Media::Other),
            (b"text\0with a nul", Media::Other),
            (b"half a sign \xe2\x82", Media::Other),
            (b"\x7fELF", Media::Other),
        ] {
            assert_eq!(of(bytes), media, "{:?}", String::from_utf8_lossy(bytes));
        }
        for media in Media::ALL {
            assert_eq!(Media::named(media.name()), media);
        }
    }

    #[test]
    fn lists_of_kinds_are_heeded() {
        let list = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        assert!(Media::Png.is_among(&list(&["image/*"])) && !Media::Text.is_among(&list(&["image/*"])));
        assert!(Media::Text.is_among(&list(&["text/plain"])) && Media::Other.is_among(&list(&["*/*"])));
        assert!(!Media::Png.is_among(&[]));
    }
}
