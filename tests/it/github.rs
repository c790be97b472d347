//! The GitHub client against a stand-in that misbehaves on purpose: each trap
//! of octocrab and of the platform is answered, and here is how.

mod hosts;
mod many;
mod network;
pub mod reads;
mod sandbox;
pub mod stand_in;
mod traps;
mod writes;
