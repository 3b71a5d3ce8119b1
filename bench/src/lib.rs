//! What the programs share that start servers themselves: `tickwire-bench` compares them,
//! `tickwire-abuse` attacks them, `tickwire-chaos` kills them.

pub mod checkout;
pub mod marks;
#[cfg(unix)]
pub mod process;
