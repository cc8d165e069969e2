//! What each parser must refuse, with the line; what it must not refuse; and that nothing makes one panic or overflow.

mod known;
mod random;
