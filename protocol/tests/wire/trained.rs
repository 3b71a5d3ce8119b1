//! A schema with a model and with expectations, small enough to be written by hand: guns, and the shots they fire.

use tickwire_protocol::delta::residual::from_tick;
use tickwire_protocol::model::WHOLE;
use tickwire_protocol::model::{CLASS_COUNT, ColumnModel, Model, Source, SpawnModel, TableModel, Tokens};
use tickwire_protocol::schema::{Columns, Field, MatchState, Spawn, Which};
use tickwire_protocol::snapshot::Seen;
use tickwire_protocol::{Schema, TableSchema, columns};

columns! {
    /// A gun fires 3 ticks before it is ready again.
    pub(crate) struct Gun as "gun" {
        pub(crate) owner: u8 = 0..=3,
        pub(crate) ready: u16 = 0..=0xffff; moment,
        pub(crate) aim: u8 = 0..=255; wrapping,
    }
}

/// Shots that fly at what speed they like, from where the gun aims.
const SHOT: TableSchema = TableSchema {
    name: "shot",
    fields: &[Field::new("owner", 0, 3), Field::new("vx", -100, 100), Field { moved_by: Some(1), ..Field::new("x", 0, 4000) }],
};

/// Guns and shots.
pub(crate) const TRAINED: Schema = Schema::new(&[MatchState::TABLE, Gun::TABLE, SHOT])
    .spawning(&[Spawn { table: "shot", version: 7, expect: expect_shot }])
    .trained(&Model { tables: &[TableModel::UNKNOWN, GUNS, SHOTS] });

/// How long a gun takes.
const READY_TICKS: i32 = 3;

/// One shot from each gun that has just fired, in the order of owners.
fn expect_shot(seen: &Seen<'_>, which: Which, row: &mut [i32]) -> bool {
    let Some(guns) = seen.table_of::<Gun>() else { return false };
    let fired = |ready: i32| from_tick(&Gun::TABLE.fields[1], ready, seen.tick) == READY_TICKS;
    let rows = (0..guns.len()).map(|row| [0, 1, 2].map(|field| guns.column(field)[row]));
    let gun = match which {
        Which::First => rows.filter(|[_, ready, _]| fired(*ready)).min(),
        Which::After(last) => rows.filter(|[owner, ready, _]| *owner > last && fired(*ready)).min(),
        Which::Of(key) => rows.filter(|[owner, ..]| *owner == key).min(),
    };
    let Some([owner, _, aim]) = gun else { return false };
    row.copy_from_slice(&[owner, 40, 10 * aim]);
    true
}

/// Numbers below this have a token each, everywhere.
const DIRECT: u32 = 4;
/// Tokens for the greatest residual of any field here, and for any id.
const TOKENS: usize = 24;
const ID_TOKENS: usize = 36;

static LIKELY: [u16; TOKENS + 1] = first_likely();
static EVEN: [u16; TOKENS + 1] = evenly();
static IDS: [u16; ID_TOKENS + 1] = first_likely();
static FORM: [u16; 4] = [0, 16_384, 30_000, WHOLE];

const BOTH: Tokens = Tokens { direct: DIRECT, distributions: &[&LIKELY, &EVEN] };
const BY_ITSELF: ColumnModel = ColumnModel { form: &FORM, sources: [Source::None; 2], contexts: &[], tokens: BOTH };
const SPAWNED: SpawnModel = SpawnModel { usual: 2, tokens: Tokens { direct: DIRECT, distributions: &[&EVEN, &LIKELY] } };

const GUNS: TableModel = TableModel {
    quiet: 30_000,
    gone: BY_ITSELF,
    no_more: [32_000, 300],
    ids: Tokens { direct: DIRECT, distributions: &[&IDS] },
    fields: &[
        BY_ITSELF,
        // Whether the gun is ready.
        ColumnModel { sources: [Source::Base(1), Source::None], contexts: &BY_SIGN, ..BY_ITSELF },
        // Whether it fired, and where it aimed.
        ColumnModel { sources: [Source::Residual(1), Source::Base(2)], contexts: &BY_BOTH, ..BY_ITSELF },
    ],
    spawned: &[SPAWNED; 3],
};

const SHOTS: TableModel = TableModel {
    quiet: 20_000,
    gone: ColumnModel { sources: [Source::Base(2), Source::None], contexts: &BY_SIGN, ..BY_ITSELF },
    no_more: [32_000, 300],
    ids: Tokens { direct: DIRECT, distributions: &[&IDS] },
    fields: &[BY_ITSELF, BY_ITSELF, ColumnModel::UNKNOWN],
    spawned: &[SPAWNED; 3],
};

static BY_SIGN: [u8; CLASS_COUNT] = by_sign();
static BY_BOTH: [u8; CLASS_COUNT * CLASS_COUNT] = by_both();

/// Whatever is not negative in one context, the rest in another.
const fn by_sign() -> [u8; CLASS_COUNT] {
    let mut contexts = [0; CLASS_COUNT];
    let mut class = CLASS_COUNT / 2;
    while class < CLASS_COUNT {
        contexts[class] = 1;
        class += 1;
    }
    contexts
}

/// A context for equal classes, another for the rest.
const fn by_both() -> [u8; CLASS_COUNT * CLASS_COUNT] {
    let mut contexts = [0; CLASS_COUNT * CLASS_COUNT];
    let mut class = 0;
    while class < CLASS_COUNT {
        contexts[class * CLASS_COUNT + class] = 1;
        class += 1;
    }
    contexts
}

/// Every symbol but the first weighs 512.
const fn first_likely<const PLACES: usize>() -> [u16; PLACES] {
    let mut sums = [0; PLACES];
    let mut place = 1;
    while place < PLACES {
        sums[place] = WHOLE - 512 * (PLACES - 1 - place) as u16;
        place += 1;
    }
    sums
}

const fn evenly<const PLACES: usize>() -> [u16; PLACES] {
    let mut sums = [0; PLACES];
    let mut place = 1;
    while place < PLACES {
        sums[place] = (WHOLE as usize * place / (PLACES - 1)) as u16;
        place += 1;
    }
    sums
}
