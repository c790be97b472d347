//! Floor 0: values and pure functions on them. Nothing here knows a clock, a
//! file, a network or a database; time comes in as an argument.

pub mod address;
pub mod adoption;
pub mod basis;
pub mod calendar;
pub mod check;
pub mod digest;
pub mod evidence;
pub mod exemptions;
pub mod finding;
pub mod inventory;
pub mod letters;
pub mod license;
pub mod marker;
pub mod observed;
pub mod outgoing;
pub mod outstanding;
pub mod own_file;
pub mod pace;
pub mod plan;
pub mod policy;
pub mod render;
pub mod repository;
pub mod rollout;
pub mod rules;
pub mod untrusted;
pub mod words;
pub mod yaml;
