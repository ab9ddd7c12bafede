//! Cloaks: what others are shown of an address. The same address always has the same cloak, and addresses of one network
//! have the end of it in common, so that a ban on the cloak's end keeps the network out; the address itself cannot be
//! found from it without the server's key.
//!
//! `192.0.2.7` becomes `<address>.<its /24>.<its /16>.ip`, an IPv6 address `<address>.<its /64>.<its /48>.ip6`: each a
//! keyed SHA-256, of which forty bits are shown. Addresses of this machine are shown as they are.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use ipnet::IpNet;
use sha2::{Digest, Sha256};

/// Letters of a part of a cloak, of five bits each.
const LETTERS: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
const PART_LETTERS: usize = 8;

/// Makes cloaks.
#[derive(Clone, PartialEq, Eq)]
pub struct Cloak([u8; Cloak::KEY_BYTES]);

impl Cloak {
    /// Bytes of the key.
    pub const KEY_BYTES: usize = 32;

    /// Cloaks by this key.
    pub fn new(key: [u8; Cloak::KEY_BYTES]) -> Cloak {
        Cloak(key)
    }

    /// The cloak of an address; none for what is no address, and for addresses of this machine.
    pub fn of(&self, address: &str) -> Option<Arc<str>> {
        let ip = address.parse::<IpAddr>().ok()?.to_canonical();
        if ip.is_loopback() {
            return None;
        }
        let (prefixes, end) = match ip {
            IpAddr::V4(_) => ([32, 24, 16], "ip"),
            IpAddr::V6(_) => ([128, 64, 48], "ip6"),
        };
        let mut cloak = String::with_capacity(3 * (PART_LETTERS + 1) + end.len());
        for prefix in prefixes {
            let network = IpNet::new(ip, prefix).ok()?.network();
            self.part(network, prefix, &mut cloak);
            cloak.push('.');
        }
        cloak.push_str(end);
        Some(cloak.into())
    }

    fn part(&self, network: IpAddr, prefix: u8, cloak: &mut String) {
        let mut hash = Sha256::new();
        hash.update(self.0);
        hash.update([prefix]);
        match network {
            IpAddr::V4(ip) => hash.update(ip.octets()),
            IpAddr::V6(ip) => hash.update(ip.octets()),
        }
        // What is shown is far less than the whole, so that nothing can be added to what was hashed.
        let bits = hash.finalize().iter().take(5).fold(0_u64, |bits, byte| bits << 8 | u64::from(*byte));
        let letter = |nth: usize| char::from(LETTERS[(bits >> (5 * nth) & 31) as usize]);
        cloak.extend((0..PART_LETTERS).map(letter));
    }
}

/// Shows no key.
impl fmt::Debug for Cloak {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Cloak")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_share_the_end_of_their_cloaks() {
        let cloak = Cloak::new([7; 32]);
        let of = |address: &str| {
            cloak.of(address).map(|cloak| cloak.split('.').map(str::to_owned).collect::<Vec<_>>())
        };
        let one = of("192.0.2.7").unwrap();
        assert_eq!(one, of("::ffff:192.0.2.7").unwrap());
        let (near, far, other) =
            (of("192.0.2.8").unwrap(), of("192.0.3.7").unwrap(), of("198.51.100.7").unwrap());
        assert!(one[0] != near[0] && one[1..] == near[1..]);
        assert!(one[1] != far[1] && one[2..] == far[2..]);
        assert!(one[2] != other[2] && one[3] == "ip");
        let (six, beside) = (of("2001:db8::1").unwrap(), of("2001:db8::ffff:2").unwrap());
        assert!(six[0] != beside[0] && six[1..] == beside[1..] && six[3] == "ip6");
        assert!(one.iter().take(3).all(|part| part.len() == PART_LETTERS));
    }

    #[test]
    fn keys_differ_and_this_machine_has_none() {
        let (one, other) = (Cloak::new([1; 32]), Cloak::new([2; 32]));
        assert_ne!(one.of("192.0.2.7"), other.of("192.0.2.7"));
        assert_eq!(one.of("127.0.0.1"), None);
        assert_eq!(one.of("::1"), None);
        assert_eq!(one.of("host.example"), None);
        assert_eq!(format!("{one:?}"), "Cloak");
    }
}
