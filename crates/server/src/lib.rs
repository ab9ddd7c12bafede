//! The runtime around a node.
