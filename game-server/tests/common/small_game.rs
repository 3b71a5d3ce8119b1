//! What a test's own game has no use for.

/// The rest of a `GameDef` whose clients say a number, predict nothing and have no bots.
macro_rules! no_prediction_no_bots {
    () => {
        type Input = u8;
        type Body = ();
        type Brain = ();
        fn body(_: &tickwire_protocol::Snapshot, _: tickwire_protocol::PlayerId) -> Option<()> {
            None
        }
        fn step((): &mut (), _: &u8, _: &tickwire_game::Mode) {}
        fn brain(_: u64) {}
        fn think((): &mut (), _: &tickwire_protocol::Snapshot, _: tickwire_protocol::PlayerId) -> u8 {
            0
        }
        fn describe_event(_: &[u8]) -> Option<String> {
            None
        }
    };
}
