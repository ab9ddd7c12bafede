//! SCRAM-SHA-256's keys: made from a password, kept as text (RFC 5803), and a client's proof checked against them.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::hmac::{self, HMAC_SHA256};
use aws_lc_rs::pbkdf2::{self, PBKDF2_HMAC_SHA256};
use chinwag_wire::base64;
use std::num::NonZeroU32;
use zeroize::Zeroizing;

/// Bytes of a key.
const KEY_BYTES: usize = 32;

/// What the server keeps.
pub(crate) struct Keys {
    pub(crate) iterations: u32,
    pub(crate) salt: Vec<u8>,
    stored: Vec<u8>,
    server: Vec<u8>,
}

impl Keys {
    /// RFC 5802, section 3.
    pub(crate) fn new(password: &[u8], salt: Vec<u8>, iterations: u32) -> Keys {
        let mut salted = Zeroizing::new([0; KEY_BYTES]);
        let count = NonZeroU32::new(iterations).unwrap_or(NonZeroU32::MIN);
        pbkdf2::derive(PBKDF2_HMAC_SHA256, count, &salt, password, &mut *salted);
        let client = Zeroizing::new(sign(&*salted, b"Client Key"));
        let stored = digest(&SHA256, &client).as_ref().to_vec();
        let server = sign(&*salted, b"Server Key");
        Keys { iterations, salt, stored, server }
    }

    /// Keys of no password at all, in the form of all others.
    pub(crate) fn of_nobody(iterations: u32, salt_bytes: usize) -> Keys {
        Keys { iterations, salt: vec![0; salt_bytes], stored: vec![0; KEY_BYTES], server: vec![0; KEY_BYTES] }
    }

    pub(crate) fn write(&self) -> String {
        let [salt, stored, server] =
            [&self.salt, &self.stored, &self.server].map(|bytes| base64::encode(bytes));
        format!("SCRAM-SHA-256${}:{salt}${stored}:{server}", self.iterations)
    }

    /// None for what was never written.
    pub(crate) fn read(text: &str) -> Option<Keys> {
        let (first, keys) = text.strip_prefix("SCRAM-SHA-256$")?.split_once('$')?;
        let (iterations, salt) = first.split_once(':')?;
        let (stored, server) = keys.split_once(':')?;
        let decode = |text: &str| base64::decode(text).ok();
        Some(Keys {
            iterations: iterations.parse().ok()?,
            salt: decode(salt)?,
            stored: decode(stored).filter(|key| key.len() == KEY_BYTES)?,
            server: decode(server)?,
        })
    }

    /// The server's signature, if the client's proof of what both sign is right.
    pub(crate) fn check(&self, signed: &str, proof: &[u8]) -> Option<Vec<u8>> {
        if proof.len() != KEY_BYTES {
            return None;
        }
        let signature = sign(&self.stored, signed.as_bytes());
        let client: Zeroizing<Vec<u8>> = Zeroizing::new(
            proof.iter().zip(&signature).map(|(proof, signature)| proof ^ signature).collect(),
        );
        verify_slices_are_equal(digest(&SHA256, &client).as_ref(), &self.stored).ok()?;
        Some(sign(&self.server, signed.as_bytes()))
    }
}

/// The salt of a name that nobody has: it looks like any other, and is the same each time.
pub(crate) fn salt_for(key: &[u8], name: &str) -> Vec<u8> {
    let mut salt = sign(key, name.to_ascii_lowercase().as_bytes());
    salt.truncate(super::SALT_BYTES);
    salt
}

fn sign(key: &[u8], data: &[u8]) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(HMAC_SHA256, key), data).as_ref().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_the_specification_holds() {
        // RFC 7677, section 3.
        let salt = base64::decode("W22ZaJ0SNY7soEsUEjb6gQ==").unwrap();
        let keys = Keys::new(b"pencil", salt, 4096);
        let signed = "n=user,r=rOprNGfwEbeRWgbNEkqO,\
            r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,\
            c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
        let proof = base64::decode("dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=").unwrap();
        let again = Keys::read(&keys.write()).expect("it was just written");
        for keys in [keys, again] {
            let signature = keys.check(signed, &proof).expect("the proof is right");
            assert_eq!(base64::encode(&signature), "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");
            assert!(keys.check("n=user", &proof).is_none());
            assert!(keys.check(signed, &proof[1..]).is_none());
            assert!(keys.check(signed, &[0; 32]).is_none());
        }
        for text in
            ["", "SCRAM-SHA-256$", "SCRAM-SHA-256$1:AAAA$AAAA:AAAA", "SCRAM-SHA-1$4096:AAAA$AAAA:AAAA"]
        {
            assert!(Keys::read(text).is_none(), "{text}");
        }
    }
}
