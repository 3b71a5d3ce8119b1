//! `codec-lab train FILE` records matches of the arena and writes what it learned as Rust source; `codec-lab report` measures on other
//! matches. `cargo xtask train-codec` runs the first.

use anyhow::{Context, Result, bail};
use codec_lab::record::{Recording, record};
use codec_lab::{emit, observe, report, train};
use games::MainGame;
use tickwire_game::Game;
use tickwire_protocol::{Schema, Snapshot};

/// Matches to learn from: full ones above all, and some with fewer players.
const TRAINING: [Recording; 10] = [
    Recording { seed: 1, players: 16, ticks: 3_000 },
    Recording { seed: 2, players: 16, ticks: 3_000 },
    Recording { seed: 3, players: 16, ticks: 3_000 },
    Recording { seed: 4, players: 16, ticks: 3_000 },
    Recording { seed: 5, players: 16, ticks: 3_000 },
    Recording { seed: 6, players: 16, ticks: 3_000 },
    Recording { seed: 7, players: 8, ticks: 3_000 },
    Recording { seed: 8, players: 8, ticks: 3_000 },
    Recording { seed: 9, players: 4, ticks: 3_000 },
    Recording { seed: 10, players: 2, ticks: 3_000 },
];

/// Matches to measure on, of which the model knows nothing.
const HELD_OUT: [Recording; 3] = [
    Recording { seed: 101, players: 16, ticks: 2_000 },
    Recording { seed: 102, players: 16, ticks: 2_000 },
    Recording { seed: 103, players: 16, ticks: 2_000 },
];

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["train", file] => std::fs::write(file, train()).with_context(|| format!("cannot write {file}")),
        ["report"] => {
            report();
            Ok(())
        }
        _ => bail!("codec-lab train FILE, or codec-lab report"),
    }
}

fn train() -> String {
    let schema = arena::tables::UNTRAINED;
    let mut observed = Vec::new();
    let mut count = 0;
    for recording in TRAINING {
        let ticks = record::<MainGame>(recording);
        ticks.iter().zip(ticks.iter().skip(1)).for_each(|(base, next)| observe::observe(&schema, base, next, &mut observed));
        count += ticks.len();
    }
    let tables: Vec<_> = schema.tables().iter().zip(&observed).map(|(table, seen)| (table.name, train::train_table(table, seen))).collect();
    emit::source(&format!("Learned from {count} snapshots of matches between bots."), &tables)
}

fn report() {
    let matches: Vec<Vec<Snapshot>> = HELD_OUT.into_iter().map(record::<MainGame>).collect();
    report::report("arena, 16 bots, held-out seeds", &MainGame::SCHEMA, &matches);
    let untrained: Vec<Vec<Snapshot>> =
        matches.iter().map(|ticks| ticks.iter().map(|tick| with_schema(tick, &arena::tables::UNTRAINED)).collect()).collect();
    report::report("the same without a model", &arena::tables::UNTRAINED, &untrained);
    let busy: Vec<Vec<Snapshot>> =
        (201..=260).flat_map(|seed| busy_parts(&record::<MainGame>(Recording { seed, players: 16, ticks: 900 }))).collect();
    report::report("all 16 moving, 12 to 20 shots", &MainGame::SCHEMA, &busy);
}

/// The snapshot as one of another schema with the same tables.
fn with_schema(snapshot: &Snapshot, schema: &Schema) -> Snapshot {
    let mut copy = Snapshot::empty(schema);
    copy.copy_from(snapshot);
    copy
}

/// Pairs of ticks in which all sixteen live and move, with about sixteen shots in flight.
fn busy_parts(ticks: &[Snapshot]) -> Vec<Vec<Snapshot>> {
    let is_busy = |snapshot: &Snapshot| {
        let moving = snapshot.rows::<arena::tables::Fighter>().filter(|(_, fighter)| fighter.vx != 0 || fighter.vy != 0).count();
        let shots = snapshot.table_of::<arena::tables::Shot>().map_or(0, tickwire_protocol::Table::len);
        moving == 16 && (12..=20).contains(&shots)
    };
    ticks.windows(2).filter(|pair| pair.iter().all(is_busy)).map(<[Snapshot]>::to_vec).collect()
}
