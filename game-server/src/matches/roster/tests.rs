//! Who gets a seat, who gets it back, and what they are called.
