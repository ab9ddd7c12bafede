//! What proves that somebody is an account's owner: passwords hashed and checked, SCRAM's keys, secrets drawn.
//!
//! What lives here: [`Prover::carry_out`], which does one job of the chat's, on whatever thread it is called. What
//! does not: threads and queues (the server), and what follows from an outcome (the chat). argon2id is what a
//! password is checked against; for SCRAM-SHA-256 (RFC 5802, RFC 7677) its keys are stored beside it.

mod code_words;
mod phc;
mod scram;

use std::sync::Arc;

use argon2::{Algorithm, Argon2, Block, Params, Version};
use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::rand;
use chinwag_core::chat::Verifiers;
use chinwag_core::work::{Job, Outcome};
use chinwag_wire::base64;
use unicode_normalization::UnicodeNormalization;
use zeroize::Zeroizing;

use self::phc::Phc;
use self::scram::Keys;

/// Bytes of salts and hashes.
const SALT_BYTES: usize = 16;
const HASH_BYTES: usize = 32;

/// Letters of codes: none that are mistaken for each other.
const CODE_LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";

/// Letters of a code: 80 bits.
const CODE_LENGTH: usize = 16;

/// What hashing a password costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cost {
    /// Memory of argon2id, in KiB.
    pub memory_kib: u32,
    /// Passes of argon2id over it.
    pub passes: u32,
    /// Iterations of SCRAM's PBKDF2.
    pub iterations: u32,
}

impl Cost {
    /// 19 MiB and two passes, with which a guess costs an attacker as much as people can wait for.
    pub const DEFAULT: Cost = Cost { memory_kib: 19_456, passes: 2, iterations: 10_000 };

    /// Next to nothing: for tests, never for people.
    pub const TEST: Cost = Cost { memory_kib: 64, passes: 1, iterations: 4_096 };
}

/// The memory that argon2id fills, kept from one password to the next: taken anew each time, megabytes that come and
/// go would leave holes that small things settle in, and the process would grow.
#[derive(Default)]
pub struct Scratch(Vec<Block>);

/// Does the chat's jobs.
#[derive(Clone, Debug)]
pub struct Prover {
    cost: Cost,
    /// Checked against where there is no account, so that the answer takes as long.
    nobody: Arc<Verifiers>,
    /// Makes the salts of accounts that there are not.
    salts: Zeroizing<[u8; 16]>,
}

impl Prover {
    /// One with this cost. `key` is the server's own secret, the same after a restart: names that nobody has get
    /// their salts from it.
    pub fn new(cost: Cost, key: [u64; 2]) -> Prover {
        let mut salts = Zeroizing::new([0; 16]);
        salts[..8].copy_from_slice(&key[0].to_be_bytes());
        salts[8..].copy_from_slice(&key[1].to_be_bytes());
        Prover { cost, nobody: Arc::new(nobody(cost)), salts }
    }

    /// What a password is checked against from now on.
    pub fn hash(&self, password: &str) -> Verifiers {
        hash(self.cost, prepare(password).as_bytes(), &mut Scratch::default())
    }

    /// Does one job. Takes some 30 ms and 19 MiB where a password is hashed at the default cost.
    pub fn carry_out(&self, job: Job, scratch: &mut Scratch) -> Outcome {
        match job {
            Job::Hash { password } => {
                let verifiers = hash(self.cost, prepare(password.expose()).as_bytes(), scratch);
                Outcome::Hashed { verifiers: Arc::new(verifiers), code: code().into() }
            }
            Job::Check { password, verifiers } => {
                let known = verifiers.as_ref().unwrap_or(&self.nobody);
                let right = is_right(known, password.expose(), scratch);
                Outcome::Checked(right && verifiers.is_some())
            }
            Job::Code => Outcome::Code(code().as_str().into()),
            Job::Words => Outcome::Code(code_words::words().as_str().into()),
            Job::Token => Outcome::Code(token().as_str().into()),
            Job::Challenge { name, verifiers } => {
                let keys = verifiers.as_deref().and_then(|verifiers| Keys::read(&verifiers.scram));
                let (salt, iterations) = match keys {
                    Some(keys) => (keys.salt, keys.iterations),
                    None => (scram::salt_for(&*self.salts, &name), self.cost.iterations),
                };
                let nonce = base64::encode(&draw::<18>()).into();
                Outcome::Challenge { nonce, salt: base64::encode(&salt).into(), iterations }
            }
            Job::Proof { verifiers, signed, proof } => {
                let known = verifiers.as_ref().unwrap_or(&self.nobody);
                let signature = Keys::read(&known.scram).and_then(|keys| keys.check(&signed, &proof));
                let signature = signature.filter(|_| verifiers.is_some());
                Outcome::Proven(signature.map(|signature| base64::encode(&signature).into()))
            }
        }
    }
}

/// A password as both sides of SCRAM have it: the form that looks the same is the same (RFC 4013: NFKC, odd spaces
/// as spaces, invisible signs left out).
fn prepare(password: &str) -> Zeroizing<String> {
    if password.is_ascii() {
        return Zeroizing::new(password.to_owned());
    }
    let mapped = password.chars().filter(|c| !is_mapped_to_nothing(*c));
    let mapped = mapped.map(|c| if c != '\u{200b}' && c.is_whitespace() { ' ' } else { c });
    Zeroizing::new(mapped.nfkc().collect())
}

/// RFC 3454, table B.1.
fn is_mapped_to_nothing(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{34f}' | '\u{1806}' | '\u{180b}'..='\u{180d}' | '\u{200b}'..='\u{200d}' | '\u{2060}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{feff}')
}

fn hash(cost: Cost, password: &[u8], scratch: &mut Scratch) -> Verifiers {
    let phc = Phc {
        memory_kib: cost.memory_kib,
        passes: cost.passes,
        lanes: 1,
        salt: draw::<SALT_BYTES>().to_vec(),
    };
    let hash = argon2id(&phc, password, scratch).unwrap_or_default();
    let keys = Keys::new(password, draw::<SALT_BYTES>().to_vec(), cost.iterations);
    Verifiers { argon2: phc.write(&hash).into(), scram: keys.write().into() }
}

/// What is checked where there is no account, so that it takes as long. Nobody hashed it: to make a hash would delay
/// every start, and whatever fits is not taken for right.
fn nobody(cost: Cost) -> Verifiers {
    let Cost { memory_kib, passes, iterations } = cost;
    let phc = Phc { memory_kib, passes, lanes: 1, salt: vec![0; SALT_BYTES] };
    let keys = Keys::of_nobody(iterations, SALT_BYTES);
    Verifiers { argon2: phc.write(&[0; HASH_BYTES]).into(), scram: keys.write().into() }
}

/// Whether a password is the one that was hashed.
fn is_right(verifiers: &Verifiers, password: &str, scratch: &mut Scratch) -> bool {
    let Some((phc, wanted)) = Phc::read(&verifiers.argon2) else { return false };
    let hash = argon2id(&phc, prepare(password).as_bytes(), scratch);
    hash.is_some_and(|hash| !wanted.is_empty() && verify_slices_are_equal(&hash, &wanted).is_ok())
}

/// None for parameters that make no sense.
fn argon2id(phc: &Phc, password: &[u8], scratch: &mut Scratch) -> Option<Vec<u8>> {
    let params = Params::new(phc.memory_kib, phc.passes, phc.lanes, Some(HASH_BYTES)).ok()?;
    scratch.0.resize(params.block_count(), Block::new());
    let mut hash = vec![0; HASH_BYTES];
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into_with_memory(password, &phc.salt, &mut hash, &mut scratch.0)
        .ok()?;
    Some(hash)
}

/// Bytes that nobody can guess.
fn draw<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    rand::fill(&mut bytes).expect("a system without random bytes cannot do anything safely");
    bytes
}

/// A code that nobody can guess, and that people can type.
pub fn code() -> String {
    let letter = |byte: u8| char::from(CODE_LETTERS[usize::from(byte & 31)]);
    draw::<CODE_LENGTH>().into_iter().map(letter).collect()
}

/// What a token begins with, so that people and programs that look for secrets know one when they see it.
const TOKEN_PREFIX: &str = "chw_";

/// A token of 256 bits, in hexadecimal.
pub fn token() -> Zeroizing<String> {
    let digits = draw::<32>().iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    Zeroizing::new(format!("{TOKEN_PREFIX}{digits}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prover() -> Prover {
        Prover::new(Cost::TEST, [1, 2])
    }

    fn check(prover: &Prover, verifiers: Option<&Verifiers>, password: &str) -> Outcome {
        let verifiers = verifiers.cloned().map(Arc::new);
        prover.carry_out(Job::Check { password: password.into(), verifiers }, &mut Scratch::default())
    }

    #[test]
    fn a_password_is_right_or_wrong() {
        let prover = prover();
        let verifiers = prover.hash("sesame");
        assert_eq!(check(&prover, Some(&verifiers), "sesame"), Outcome::Checked(true));
        for wrong in ["", "Sesame", "sesame ", "millet"] {
            assert_eq!(check(&prover, Some(&verifiers), wrong), Outcome::Checked(false), "{wrong}");
        }
        assert_eq!(check(&prover, None, "sesame"), Outcome::Checked(false));
        let spoilt = Verifiers { argon2: "$argon2id$nonsense".into(), scram: "nonsense".into() };
        assert_eq!(check(&prover, Some(&spoilt), ""), Outcome::Checked(false));
        let other = prover.hash("sesame");
        assert_ne!(verifiers, other, "salts differ");
        assert_eq!(format!("{verifiers:?}"), "Verifiers(…)");
    }

    #[test]
    fn a_prover_hashes_nothing_before_it_is_asked() {
        // Would take years.
        Prover::new(Cost { memory_kib: 1 << 30, passes: u32::MAX, iterations: u32::MAX }, [1, 2]);
    }

    #[test]
    fn what_is_checked_for_nobody_can_be_checked() {
        let nobody = nobody(Cost::TEST);
        let (phc, wanted) = Phc::read(&nobody.argon2).expect("well-formed");
        assert_eq!(
            argon2id(&phc, b"sesame", &mut Scratch::default()).expect("makes sense").len(),
            wanted.len()
        );
        let keys = Keys::read(&nobody.scram).expect("well-formed");
        assert_eq!(keys.iterations, Cost::TEST.iterations);
        assert!(keys.check("signed", &[0; 32]).is_none());
    }

    #[test]
    fn hashes_of_another_cost_are_understood() {
        let prover = prover();
        let costly = Prover::new(Cost { memory_kib: 128, passes: 2, iterations: 4_096 }, [1, 2]);
        let verifiers = costly.hash("sesame");
        assert!(verifiers.argon2.starts_with("$argon2id$v=19$m=128,t=2,p=1$"), "{}", verifiers.argon2);
        assert_eq!(check(&prover, Some(&verifiers), "sesame"), Outcome::Checked(true));
    }

    #[test]
    fn what_looks_the_same_is_the_same_password() {
        let prover = prover();
        let verifiers = prover.hash("caf\u{e9} \u{2168}");
        assert_eq!(check(&prover, Some(&verifiers), "cafe\u{301}\u{a0}I\u{ad}X"), Outcome::Checked(true));
        assert_eq!(check(&prover, Some(&verifiers), "cafe IX"), Outcome::Checked(false));
    }

    #[test]
    fn who_is_not_there_has_a_salt_that_stays() {
        let salt = |prover: &Prover, name: &str| match prover
            .carry_out(Job::Challenge { name: name.into(), verifiers: None }, &mut Scratch::default())
        {
            Outcome::Challenge { salt, iterations, .. } => (salt, iterations),
            other => panic!("{other:?}"),
        };
        let (one, other) = (prover(), prover());
        assert_eq!(salt(&one, "ann"), salt(&other, "ANN"));
        assert_ne!(salt(&one, "ann"), salt(&one, "bob"));
        assert_ne!(salt(&one, "ann"), salt(&Prover::new(Cost::TEST, [1, 3]), "ann"));
    }

    #[test]
    fn tokens_have_256_bits() {
        let (one, other) = (token(), token());
        assert_ne!(one, other);
        assert_eq!(one.len(), "chw_".len() + 64);
        assert!(one.strip_prefix("chw_").unwrap().bytes().all(|digit| digit.is_ascii_hexdigit()));
    }

    #[test]
    fn codes_differ_and_can_be_typed() {
        let codes: std::collections::BTreeSet<String> = (0..100).map(|_| code()).collect();
        assert_eq!(codes.len(), 100);
        assert!(codes.iter().all(|code| code.len() == 16 && code.bytes().all(|b| b.is_ascii_alphanumeric())));
    }
}
