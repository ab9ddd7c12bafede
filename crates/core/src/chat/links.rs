//! Codes with which another session joins an account, for some minutes. Passing: a restart forgets them.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use crate::accounts::same_secret;
use crate::ids::Millis;
use crate::work::Secret;

/// Codes that may be good at once. Above it the oldest is forgotten.
const LINKS_MAX: usize = 4096;

/// A code, and whose it is.
#[derive(Clone, Debug)]
struct Link {
    account: Arc<str>,
    code: Secret,
    until_ms: Millis,
}

/// The codes that are good, one an account, in the order of making.
#[derive(Clone, Debug, Default)]
pub(crate) struct Links(Vec<Link>);

impl Links {
    /// A new code for an account, instead of the one before.
    pub(super) fn make(&mut self, at_ms: Millis, account: &Arc<str>, code: &Secret, until_ms: Millis) {
        self.0.retain(|link| at_ms < link.until_ms && link.account != *account);
        if self.0.len() >= LINKS_MAX {
            self.0.remove(0);
        }
        self.0.push(Link { account: Arc::clone(account), code: code.clone(), until_ms });
    }

    /// Whose a code is. Takes as long whether one is right or none.
    pub(super) fn find(&self, now_ms: Millis, code: &str) -> Option<&Arc<str>> {
        let good = |link: &&Link| {
            same_secret(link.code.expose().as_bytes(), code.as_bytes()) & (now_ms < link.until_ms)
        };
        self.0.iter().rfind(good).map(|link| &link.account)
    }

    /// Uses a code up; false when it is not good.
    pub(super) fn take(&mut self, at_ms: Millis, account: &Arc<str>, code: &Secret) -> bool {
        let good = self.find(at_ms, code.expose()) == Some(account);
        if good {
            self.forget(account);
        }
        good
    }

    /// An account is no more.
    pub(super) fn forget(&mut self, account: &Arc<str>) {
        self.0.retain(|link| link.account != *account);
    }
}

impl Hash for Links {
    fn hash<H: Hasher>(&self, state: &mut H) {
        for link in &self.0 {
            (&link.account, link.code.expose(), link.until_ms).hash(state);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_good_once_and_for_a_while() {
        let (ann, bob): (Arc<str>, Arc<str>) = ("ann".into(), "bob".into());
        let mut links = Links::default();
        links.make(0, &ann, &"one".into(), 10);
        links.make(0, &bob, &"two".into(), 10);
        assert_eq!(links.find(9, "one"), Some(&ann));
        assert_eq!((links.find(10, "one"), links.find(9, "on"), links.find(9, "")), (None, None, None));
        assert!(!links.take(9, &bob, &"one".into()) && links.take(9, &ann, &"one".into()));
        assert!(!links.take(9, &ann, &"one".into()));
        links.make(5, &bob, &"three".into(), 15);
        assert_eq!((links.find(9, "two"), links.find(9, "three")), (None, Some(&bob)));
    }

    #[test]
    fn the_oldest_is_forgotten_when_there_are_too_many() {
        let mut links = Links::default();
        for number in 0..=LINKS_MAX {
            links.make(0, &number.to_string().into(), &number.to_string().as_str().into(), 10);
        }
        assert_eq!(links.0.len(), LINKS_MAX);
        assert!(links.find(0, "0").is_none() && links.find(0, "1").is_some());
    }
}
