//! argon2id hashes as text, in the form that other programs write too (`$argon2id$v=19$m=…,t=…,p=…$salt$hash`).

use chinwag_wire::base64;

/// The part in front of the hash.
pub(crate) struct Phc {
    pub(crate) memory_kib: u32,
    pub(crate) passes: u32,
    pub(crate) lanes: u32,
    pub(crate) salt: Vec<u8>,
}

impl Phc {
    /// The text, with this hash.
    pub(crate) fn write(&self, hash: &[u8]) -> String {
        let Phc { memory_kib, passes, lanes, salt } = self;
        let (salt, hash) = (unpadded(salt), unpadded(hash));
        format!("$argon2id$v=19$m={memory_kib},t={passes},p={lanes}${salt}${hash}")
    }

    /// Parameters, salt and hash of a text; none for anything else.
    pub(crate) fn read(text: &str) -> Option<(Phc, Vec<u8>)> {
        let mut parts = text.strip_prefix("$argon2id$v=19$")?.split('$');
        let (params, salt, hash) = (parts.next()?, parts.next()?, parts.next()?);
        let mut params = params.split(',');
        let mut number = |key: &str| params.next()?.strip_prefix(key)?.parse().ok();
        let (memory_kib, passes, lanes) = (number("m=")?, number("t=")?, number("p=")?);
        parts.next().is_none().then_some(())?;
        Some((Phc { memory_kib, passes, lanes, salt: padded(salt)? }, padded(hash)?))
    }
}

fn unpadded(bytes: &[u8]) -> String {
    base64::encode(bytes).trim_end_matches('=').to_owned()
}

fn padded(text: &str) -> Option<Vec<u8>> {
    let missing = (4 - text.len() % 4) % 4;
    base64::decode(&format!("{text}{}", "=".repeat(missing))).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let phc = Phc { memory_kib: 64, passes: 2, lanes: 1, salt: b"somesalt".to_vec() };
        let text = phc.write(&[1, 2, 3, 4, 5]);
        assert_eq!(text, "$argon2id$v=19$m=64,t=2,p=1$c29tZXNhbHQ$AQIDBAU");
        let (read, hash) = Phc::read(&text).expect("it was just written");
        assert_eq!((read.memory_kib, read.passes, read.lanes), (64, 2, 1));
        assert_eq!((read.salt.as_slice(), hash.as_slice()), (&b"somesalt"[..], &[1, 2, 3, 4, 5][..]));
        for text in [
            "",
            "$argon2i$v=19$m=64,t=2,p=1$c29$AQ",
            "$argon2id$v=19$t=2,m=64,p=1$c29$AQ",
            "$argon2id$v=19$m=64",
        ] {
            assert!(Phc::read(text).is_none(), "{text}");
        }
    }
}
