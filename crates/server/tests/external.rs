//! SASL EXTERNAL end to end: a certificate shown in TLS's handshake proves an account, once its owner has said so.

#![allow(clippy::unwrap_used)]

mod common;

use chinwag_server::Config;
use chinwag_server::config::HashCost;
use chinwag_testkit::caller::Caller;
use chinwag_testkit::transport::TlsOptions;
use common::{Place, config};

fn cheap() -> Config {
    let mut config = config();
    config.accounts.hash_cost = HashCost::Test;
    config
}

/// A client's certificate, made anew.
struct Shown {
    certificate: rcgen::Certificate,
    key: rcgen::KeyPair,
}

impl Shown {
    fn new() -> Shown {
        let key = rcgen::KeyPair::generate().unwrap();
        let params = rcgen::CertificateParams::new(vec!["client".to_owned()]).unwrap();
        Shown { certificate: params.self_signed(&key).unwrap(), key }
    }

    fn options(&self) -> TlsOptions {
        let key = rustls::pki_types::PrivateKeyDer::try_from(self.key.serialize_der()).unwrap();
        TlsOptions { certificate: Some((self.certificate.der().clone(), key)), ..TlsOptions::default() }
    }
}

/// Tries EXTERNAL before coming in, and gives the numeric that decides.
fn external(mut caller: Caller, nick: &str) -> (String, Caller) {
    caller.send(&format!("CAP REQ :sasl\r\nNICK {nick}\r\nUSER u 0 * :u\r\nAUTHENTICATE EXTERNAL"));
    let line =
        caller.until(|line| line == "AUTHENTICATE +" || line.contains(" 904 ") || line.contains(" 908 "));
    if line != "AUTHENTICATE +" {
        return (line, caller);
    }
    caller.send("AUTHENTICATE +");
    let line = caller.until(|line| [" 903 ", " 904 "].iter().any(|end| line.contains(end)));
    (line, caller)
}

/// <https://ircv3.net/specs/extensions/sasl-3.1>, RFC 4422 appendix A.
#[test]
fn a_certificate_proves_an_account_when_its_owner_has_said_so() {
    let place = Place::start(cheap());
    let (mine, stranger) = (Shown::new(), Shown::new());
    // Registered with a password, without a certificate.
    let mut ann = Caller::irc(place.address(), "ann", "");
    ann.send("REGISTER * * correct-horse");
    ann.until(|line| line.contains(" REGISTER SUCCESS "));
    ann.send("QUIT");
    ann.rest();
    let (refused, _) = external(Caller::tls(place.address(), mine.options()), "ann");
    assert!(refused.contains(" 904 "), "{refused}");
    // Its owner logs in with the password, over TLS with the certificate, and adds what was shown.
    let mut ann = Caller::tls(place.address(), mine.options()).registered("guest", "");
    ann.send("NS IDENTIFY ann correct-horse");
    ann.until(|line| line.contains(" 900 "));
    ann.send("NS CERT ADD");
    ann.until(|line| line.contains("NickServ") && line.contains(" NOTICE "));
    ann.send("NS CERT LIST");
    let print = ann.until(|line| line.rsplit(':').next().is_some_and(|word| word.len() == 64));
    ann.send("QUIT");
    ann.rest();
    let (done, mut ann) = external(Caller::tls(place.address(), mine.options()), "ann");
    assert!(done.contains(" 903 "), "{done}");
    ann.send("CAP END");
    ann.until(|line| line.contains(" 001 ann "));
    ann.send("WHOIS ann");
    ann.until(|line| line.contains(" 330 ann ann ann "));
    ann.until(|line| line.contains(" 276 ") || line.contains(" 318 "));
    // Another certificate, none, and no TLS at all prove nothing.
    let (refused, _) = external(Caller::tls(place.address(), stranger.options()), "eve");
    assert!(refused.contains(" 904 "), "{refused}");
    let (refused, _) = external(Caller::tls(place.address(), TlsOptions::default()), "eve");
    assert!(refused.contains(" 904 ") || refused.contains(" 908 "), "{refused}");
    let (refused, _) = external(Caller::connect(place.address()), "eve");
    assert!(refused.contains(" 904 ") || refused.contains(" 908 "), "{refused}");
    // Taken back by its fingerprint, it does not either.
    let print = print.rsplit(':').next().unwrap().to_owned();
    ann.send(&format!("NS CERT DEL {print}"));
    ann.until(|line| line.contains("NickServ") && line.contains(" NOTICE "));
    let (refused, _) = external(Caller::tls(place.address(), mine.options()), "eve");
    assert!(refused.contains(" 904 "), "{refused}");
}

#[test]
fn who_registers_with_a_certificate_comes_back_with_it() {
    let mut place = Place::start(cheap());
    let mine = Shown::new();
    let mut ann = Caller::tls(place.address(), mine.options()).registered("ann", "");
    ann.send("REGISTER * * correct-horse");
    ann.until(|line| line.contains(" REGISTER SUCCESS "));
    ann.send("QUIT");
    ann.rest();
    place.restart(cheap());
    let (done, _) = external(Caller::tls(place.address(), mine.options()), "ann");
    assert!(done.contains(" 903 "), "{done}");
}
