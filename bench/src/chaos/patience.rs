//! How long is waited for what.

use std::time::Duration;

/// How long the bots may take to come in at first.
pub(crate) const ARRIVAL: Duration = Duration::from_mins(1);
/// The shortest that is waited from when everyone plays to a kill.
pub(crate) const PAUSE_MIN: Duration = Duration::from_millis(100);
/// After the time that a bot has to return, it may need this for a new seat.
pub(crate) const SPARE: Duration = Duration::from_secs(20);
/// A kill is felt, and answered with another server, within this.
pub(crate) const FELT: Duration = Duration::from_secs(5);

/// Waits until something is so, but not for ever.
pub(crate) async fn until(patience: Duration, is_so: impl Fn() -> bool) {
    let wait = async {
        while !is_so() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    // What did not happen is for the checker to find.
    let _ = tokio::time::timeout(patience, wait).await;
}
