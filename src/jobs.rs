//! The work between the faces and the adapters: what an event asks for, and
//! how it is done.

pub mod route;
