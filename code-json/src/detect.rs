//! What a file is, told by its shape.
//!
//! Promises: (1) the `version` string decides nothing: in a repository's file it
//! is the software's version, and in inventories it is often wrong; (2) every
//! JSON text gets a [`Shape`], if only [`Family::Unknown`].
