//! Names: of files, as strangers give them and as everybody may see them; of links, as they stand in texts.

/// Bytes of a link's name.
pub const ID_BYTES: usize = 26;

/// Bytes of a file's name at most.
pub const NAME_BYTES_MAX: usize = 120;

/// What a file is called that has no name.
const NAMELESS: &str = "file";

/// The path below a link where its small picture is. No file is called so.
pub const THUMB: &str = "thumb";

/// A file's name as everybody may see it: the last part of whatever path was given, without control characters, signs that
/// turn the direction of a text, and what means something to a shell, a file system or a link; not hidden, not too long,
/// and with its ending as it was.
pub fn safe(given: &str) -> String {
    let last = given.rsplit(['/', '\\']).next().unwrap_or("");
    let kept: String = last.chars().map(|sign| if odd(sign) { '_' } else { sign }).collect();
    let kept = kept.trim_matches([' ', '.', '_', '-']);
    let (stem, ending) = match kept.rsplit_once('.') {
        Some((stem, ending)) if ending.len() <= 10 => (stem, Some(ending)),
        _ => (kept, None),
    };
    let ending = ending.map_or(String::new(), |ending| format!(".{ending}"));
    let most = NAME_BYTES_MAX - ending.len();
    let stem = stem[..stem.floor_char_boundary(most)].trim_end_matches([' ', '.']);
    match (stem, &*ending) {
        ("", ending) => format!("{NAMELESS}{ending}"),
        (THUMB, "") => format!("{THUMB}_"),
        (stem, ending) => format!("{stem}{ending}"),
    }
}

fn odd(sign: char) -> bool {
    let invisible = matches!(sign, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff0}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}');
    sign.is_control()
        || invisible
        || "\"'`<>|:*?;&$!{}[]()#%\\^~,".contains(sign)
        || (sign.is_whitespace() && sign != ' ')
}

/// A name as a part of an address.
pub fn encoded(name: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    name.bytes()
        .map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

/// The path of a file.
pub fn path(id: &str, name: &str) -> String {
    format!("{}{id}/{}", crate::PATH, encoded(name))
}

/// Whether a word may be a link's name.
pub fn is_id(word: &str) -> bool {
    word.len() == ID_BYTES && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
}

/// The names of links in a text: whatever stands behind `/files/` and is one. An address is not looked at: who names the
/// link knows it.
pub fn links(text: &str) -> impl Iterator<Item = &str> {
    text.split(crate::PATH).skip(1).filter_map(|rest| rest.get(..ID_BYTES)).filter(|word| is_id(word))
}

/// The name that a `Content-Disposition` gives (RFC 6266): `filename*` before `filename`.
pub fn disposed(header: &str) -> Option<String> {
    let mut plain = None;
    for part in parts(header).into_iter().skip(1) {
        let (key, value) = part.split_once('=')?;
        match &*key.trim().to_ascii_lowercase() {
            "filename*" => {
                let mut pieces = value.trim().splitn(3, '\'');
                let charset = pieces.next().unwrap_or("");
                if charset.eq_ignore_ascii_case("utf-8")
                    && let Some(name) = pieces.nth(1).and_then(decoded)
                {
                    return Some(name);
                }
            }
            "filename" => plain = Some(unquoted(value.trim())),
            _ => {}
        }
    }
    plain
}

/// What is between the semicolons that stand in no quotation marks.
fn parts(header: &str) -> Vec<String> {
    let (mut found, mut quoted, mut escaped) = (vec![String::new()], false, false);
    for sign in header.chars() {
        match sign {
            ';' if !quoted => {
                found.push(String::new());
                continue;
            }
            '"' if !escaped => quoted = !quoted,
            _ => {}
        }
        escaped = sign == '\\' && quoted && !escaped;
        if let Some(last) = found.last_mut() {
            last.push(sign);
        }
    }
    found
}

fn unquoted(value: &str) -> String {
    let Some(inside) = value.strip_prefix('"') else { return value.to_owned() };
    let (mut text, mut escaped) = (String::new(), false);
    for sign in inside.chars() {
        match sign {
            '\\' if !escaped => escaped = true,
            '"' if !escaped => break,
            sign => {
                text.push(sign);
                escaped = false;
            }
        }
    }
    text
}

/// What `%41` stands for; none when that is no UTF-8.
pub fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, behind @ ..] = rest {
        let digit = |at: usize| behind.get(at).and_then(|byte| char::from(*byte).to_digit(16));
        match (first, digit(0), digit(1)) {
            (b'%', Some(high), Some(low)) => {
                bytes.push(u8::try_from(high * 16 + low).ok()?);
                rest = &behind[2..];
            }
            (byte, ..) => {
                bytes.push(*byte);
                rest = behind;
            }
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_strangers_become_names() {
        let long = format!("{}.png", "x".repeat(300));
        for (given, name) in [
            ("picture.png", "picture.png"),
            ("../../etc/passwd", "passwd"),
            ("..\\..\\boot.ini", "boot.ini"),
            ("/", "file"),
            ("..", "file"),
            (".bashrc", "bashrc"),
            ("-rf", "rf"),
            ("a\0b\r\nSet-Cookie: x.png", "a_b__Set-Cookie_ x.png"),
            ("exe.\u{202e}gnp.txt", "exe._gnp.txt"),
            ("ein größeres Bild.jpg", "ein größeres Bild.jpg"),
            ("a\";b='c'.txt", "a__b=_c_.txt"),
            ("thumb", "thumb_"),
            (" .png", "png"),
            (&long, &format!("{}.png", "x".repeat(116))),
            (&"ä".repeat(200), &"ä".repeat(60)),
        ] {
            assert_eq!(safe(given), name, "{given:?}");
            assert!(safe(given).len() <= NAME_BYTES_MAX);
        }
    }

    #[test]
    fn dispositions_are_read() {
        for (header, name) in [
            ("attachment; filename=\"a b.png\"", Some("a b.png")),
            ("attachment; filename=a.png", Some("a.png")),
            ("attachment;filename=\"a\\\"b;c.png\"; x=y", Some("a\"b;c.png")),
            ("attachment; filename=\"x.png\"; filename*=UTF-8''%e2%82%ac%20rates", Some("€ rates")),
            ("attachment; filename*=latin-1''%a3; filename=x", Some("x")),
            ("inline", None),
            ("", None),
        ] {
            assert_eq!(disposed(header).as_deref(), name, "{header}");
        }
    }

    #[test]
    fn links_in_texts_are_found() {
        let id = "abcdefghijkmnpqrstuvwxyz23";
        let text =
            format!("see http://a:1/files/{id}/x.png and /files/{id}, not /files/{}/ or /files/ab", &id[1..]);
        assert_eq!(links(&text).collect::<Vec<_>>(), [id, id]);
        assert_eq!(links("/files/äöüäöüäöüäöüäöüäöüäöü/").count(), 0);
        assert!(is_id(&crate::draw()) && crate::draw() != crate::draw());
        assert_eq!(path(id, "größe 1.png"), format!("/files/{id}/gr%C3%B6%C3%9Fe%201.png"));
    }
}
