//! Numerics as one table.

/// A numeric reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Numeric(pub u16);
