//! What the programs share that start servers themselves: `tickwire-bench` compares them,
//! `tickwire-abuse` attacks them, `tickwire-chaos` kills them.

#[cfg(not(unix))]
compile_error!("the programs of this package end servers by signals: they run on Linux and macOS only");

pub mod checkout;
pub mod marks;
pub mod process;
pub mod stop;
