//! The dialects that sessions speak, as small numbers: what stands for one in the tables that every delivery touches.
//!
//! There are as many dialects as sets of capabilities that change how a line looks, far more than anybody uses; a
//! caller may go through them all. Those that nobody speaks any more are used anew between two turns.

use chinwag_core::session::Door;
use chinwag_wire::caps::CapSet;

use crate::Node;
use crate::doors::{Dialect, rendering};

/// Dialects from which on those that nobody speaks are looked for.
const MANY: usize = 256;

/// Dialects at most. Whoever comes with another one then is served in the simplest of the same door.
const DIALECTS_MAX: usize = 32 * 1024;

/// All dialects that somebody speaks, or spoke.
#[derive(Default)]
pub(crate) struct Dialects {
    all: Vec<Dialect>,
    /// Numbers of dialects that nobody speaks.
    free: Vec<u16>,
    /// How many there were when somebody looked for those.
    swept: usize,
}

impl Dialects {
    /// The dialect of a number.
    pub(crate) fn get(&self, number: u16) -> &Dialect {
        &self.all[usize::from(number)]
    }

    /// How many numbers there are.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.all.len()
    }

    fn number(&mut self, dialect: Dialect) -> u16 {
        let known = self.all.iter().position(|known| *known == dialect);
        let at = match (known, self.free.last()) {
            (Some(at), _) => at,
            (None, Some(free)) => {
                let at = usize::from(*free);
                self.all[at] = dialect;
                at
            }
            (None, None) if self.all.len() < DIALECTS_MAX => {
                self.all.push(dialect);
                self.all.len() - 1
            }
            (None, None) => {
                let same = |(_, known): &(usize, &Dialect)| known.door == dialect.door;
                let simplest =
                    self.all.iter().enumerate().filter(same).min_by_key(|(_, known)| known.caps.len());
                simplest.map_or(0, |(at, _)| at)
            }
        };
        let number = u16::try_from(at).expect("there are at most DIALECTS_MAX");
        self.free.retain(|free| *free != number);
        number
    }

    /// Finds those that nobody speaks. To be called between two turns, when nothing is written in any.
    fn sweep(&mut self, spoken: impl Iterator<Item = u16>) {
        if self.all.len() < MANY || self.all.len() == self.swept || !self.free.is_empty() {
            return;
        }
        let mut used = vec![false; self.all.len()];
        for number in spoken {
            used[usize::from(number)] = true;
        }
        let unused = used.iter().zip(0..).filter(|(used, _)| !**used);
        self.free = unused.map(|(_, number)| number).collect();
        self.swept = self.all.len();
    }
}

impl Node {
    /// The number of a dialect.
    pub(crate) fn dialect(&mut self, door: Door, caps: CapSet, numbers: bool) -> u16 {
        self.dialects.number(Dialect { door, caps: rendering(caps), numbers })
    }

    /// Between two turns: dialects that nobody speaks may be used for others.
    pub(crate) fn sweep_dialects(&mut self) {
        self.dialects.sweep(self.sessions.hot.iter().map(|hot| hot.dialect));
    }
}
