//! A whole server without a runtime: sessions, doors, and the bytes on their way.

pub mod doors;
