//! The messages of SCRAM (RFC 5802) as text: what a client says, taken apart and checked, and what a server answers.
//!
//! What lives here: the grammar and the rules about channel binding. What does not: keys, hashes, who has which
//! password.

use crate::base64;

/// Bytes of a nonce that a client may send; more is of no use to anybody.
const NONCE_BYTES_MAX: usize = 256;

/// What a client says first (`client-first-message`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientFirst {
    /// Whom it wants to act as; empty for the name it proves.
    pub authzid: String,
    /// The name it proves.
    pub name: String,
    /// Its part of the nonce.
    pub nonce: String,
    /// Everything in front of the bare message: repeated, encoded, in the final one.
    pub header: String,
    /// The message without its header, which is part of what is signed.
    pub bare: String,
}

/// What a client says last (`client-final-message`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientFinal {
    /// The header again, decoded.
    pub header: Vec<u8>,
    /// The whole nonce.
    pub nonce: String,
    /// The proof.
    pub proof: Vec<u8>,
    /// The message without its proof, which is part of what is signed.
    pub without_proof: String,
}

/// Takes a client's first message apart. Clients that bind to the channel are refused, since no mechanism with
/// `-PLUS` is offered; those that could but see no such mechanism (`y`) are right (section 6).
/// None for what is none, asks for an extension (`m=`), or for channel binding.
pub fn client_first(message: &str) -> Option<ClientFirst> {
    let (flag, rest) = message.split_once(',')?;
    if !matches!(flag, "n" | "y") {
        return None;
    }
    let (authzid, bare) = rest.split_once(',')?;
    let authzid = match authzid {
        "" => String::new(),
        other => saslname(other.strip_prefix("a=")?)?,
    };
    let mut parts = bare.split(',');
    let name = saslname(parts.next().and_then(|part| part.strip_prefix("n="))?)?;
    let nonce = nonce(parts.next())?;
    let header = message[..message.len() - bare.len()].to_owned();
    Some(ClientFirst { authzid, name, nonce: nonce.to_owned(), header, bare: bare.to_owned() })
}

/// What the server answers (`server-first-message`): the whole nonce, the salt in base64, the iterations.
pub fn server_first(nonce: &str, salt: &str, iterations: u32) -> String {
    format!("r={nonce},s={salt},i={iterations}")
}

/// Takes a client's final message apart; none when it is none.
pub fn client_final(message: &str) -> Option<ClientFinal> {
    let (without_proof, proof) = message.rsplit_once(",p=")?;
    let mut parts = without_proof.split(',');
    let header = parts.next().and_then(|part| part.strip_prefix("c="))?;
    let nonce = nonce(parts.next())?.to_owned();
    let (header, proof) = (base64::decode(header).ok()?, base64::decode(proof).ok()?);
    Some(ClientFinal { header, nonce, proof, without_proof: without_proof.to_owned() })
}

/// What the proof and the server's signature are made of (`AuthMessage`).
pub fn auth_message(first: &ClientFirst, server_first: &str, last: &ClientFinal) -> String {
    format!("{},{server_first},{}", first.bare, last.without_proof)
}

/// `r=` and printable characters but for the comma.
fn nonce(part: Option<&str>) -> Option<&str> {
    let nonce = part.and_then(|part| part.strip_prefix("r="))?;
    let printable = nonce.bytes().all(|byte| byte.is_ascii_graphic());
    if nonce.is_empty() || nonce.len() > NONCE_BYTES_MAX || !printable { None } else { Some(nonce) }
}

/// A name in which `,` and `=` are written `=2C` and `=3D`.
fn saslname(text: &str) -> Option<String> {
    let mut name = String::with_capacity(text.len());
    let mut pieces = text.split('=');
    name.push_str(pieces.next().unwrap_or_default());
    for piece in pieces {
        let (sign, rest) = match piece.get(..2) {
            Some("2C") => (',', &piece[2..]),
            Some("3D") => ('=', &piece[2..]),
            _ => return None,
        };
        name.push(sign);
        name.push_str(rest);
    }
    if name.is_empty() { None } else { Some(name) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_the_specification_is_taken_apart() {
        // RFC 7677, section 3.
        let first = client_first("n,,n=user,r=rOprNGfwEbeRWgbNEkqO").unwrap();
        assert_eq!((&*first.name, &*first.authzid, &*first.header), ("user", "", "n,,"));
        assert_eq!(first.bare, "n=user,r=rOprNGfwEbeRWgbNEkqO");
        let answer = server_first(
            "rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0",
            "W22ZaJ0SNY7soEsUEjb6gQ==",
            4096,
        );
        let last = client_final(
            "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,\
             p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
        )
        .unwrap();
        assert_eq!(last.header, first.header.as_bytes());
        assert_eq!(last.proof.len(), 32);
        assert_eq!(
            auth_message(&first, &answer, &last),
            "n=user,r=rOprNGfwEbeRWgbNEkqO,\
             r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,\
             c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
        );
    }

    #[test]
    fn names_are_decoded_and_headers_kept() {
        let first = client_first("y,a=ann,n=a=2Cb=3Dc,r=x,ext=1").unwrap();
        assert_eq!((&*first.name, &*first.authzid, &*first.header), ("a,b=c", "ann", "y,a=ann,"));
    }

    #[test]
    fn what_is_no_message_is_refused() {
        for message in [
            "",
            "n",
            "n,",
            "n,,",
            "n,,n=,r=x",
            "n,,n=user",
            "n,,n=user,r=",
            "n,,r=x,n=user",
            "n,,m=ext,n=user,r=x",
            "n,user,n=user,r=x",
            "n,,n=us=er,r=x",
            "n,,n=us=2,r=x",
            "p=tls-unique,,n=user,r=x",
            "x,,n=user,r=x",
        ] {
            assert_eq!(client_first(message), None, "{message:?}");
        }
        for message in
            ["", "c=biws,r=x", "c=!,r=x,p=AAAA", "r=x,c=biws,p=AAAA", "c=biws,p=AAAA", "c=biws,r=x,p=A"]
        {
            assert_eq!(client_final(message), None, "{message:?}");
        }
    }
}
