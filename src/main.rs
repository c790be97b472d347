<<<<<<< HEAD
//! The command `muster`.

=======
>>>>>>> c3e6cd6 (domain/license: say which license a text is)
fn main() {}
