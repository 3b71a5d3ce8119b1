//! What the derives write, and what they say when a declaration is wrong.

use tickwire_game::derive::{FieldValue, FromNumbers, InputField};
use tickwire_game::{Event, Replicate};
use tickwire_protocol::codec::{decode, encode};
use tickwire_protocol::schema::{Field, MatchState, Schema};
use tickwire_protocol::{Columns, PlayerId, Tick};

const WIDTH: i32 = 900;

#[derive(Replicate, Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Health,
    Overcharge,
}

#[derive(Replicate, Clone, Copy, Debug, PartialEq)]
#[table("thing")]
struct Everything {
    #[owner]
    player: PlayerId,
    kind: Kind,
    lit: bool,
    #[moment]
    until: Tick,
    #[moment]
    short: u16,
    #[wrapping]
    heading: u8,
    #[range(-5..=5)]
    pair: [i8; 2],
    #[range(-WIDTH..=WIDTH)]
    vx: i32,
    #[range(0..=2 * WIDTH)]
    #[moved_by(vx)]
    x: i32,
}

/// Its ranges are checked when it is built.
const SCHEMA: Schema = Schema::new(&[MatchState::TABLE, Everything::TABLE]);

const THING: Everything = Everything {
    player: PlayerId(7),
    kind: Kind::Overcharge,
    lit: true,
    until: Tick(9),
    short: 8,
    heading: 200,
    pair: [-5, 4],
    vx: -3,
    x: 1_000,
};

#[test]
fn a_component_is_a_table_and_its_values_read_back() {
    let expected = [
        Field::new("player", 0, 1_023),
        Field::new("kind", 0, 1),
        Field::new("lit", 0, 1),
        Field::new("until", 0, i32::MAX).moment(),
        Field::new("short", 0, 0xffff).moment(),
        Field::new("heading", 0, 255).wrapping(),
        Field::new("pair_0", -5, 5),
        Field::new("pair_1", -5, 5),
        Field::new("vx", -900, 900),
        Field::new("x", 0, 1_800).moved_by_column(8),
    ];
    assert_eq!((Everything::TABLE.name, Everything::TABLE.fields), ("thing", expected.as_slice()));
    let mut row = [0; 10];
    THING.write(&mut row);
    assert_eq!(row, [7, 1, 1, 9, 8, 200, -5, 4, -3, 1_000]);
    assert_eq!(Everything::read(&row), THING);
    assert_eq!(THING.owner(), Some(PlayerId(7)));
    assert_eq!(SCHEMA.tables().len(), 2);
}

#[test]
fn a_row_cut_short_reads_as_zeros_and_an_unknown_variant_as_the_last() {
    assert_eq!(Everything::read(&[7, 99]).kind, Kind::Overcharge);
    assert_eq!(Everything::read(&[7]).kind, Kind::Health);
    assert_eq!((Kind::MIN, Kind::MAX), (0, 1));
}

#[derive(tickwire_game::Input, Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Push {
    #[range(-9..=9)]
    x: i8,
    aim: u16,
    #[range(0..=3)]
    levels: [u8; 2],
    fire: bool,
}

#[test]
fn an_input_out_of_range_is_no_input() {
    let push = Push { x: -9, aim: 65_535, levels: [3, 0], fire: true };
    let bytes = encode(&push);
    // A byte, a varint, two bytes, a byte: as a struct with derived encoding would be.
    assert_eq!(bytes, [0xf7, 251, 255, 255, 3, 0, 1]);
    assert_eq!(decode::<Push, 16>(&bytes), Ok(push));
    for wrong in [Push { x: 10, ..push }, Push { x: -10, ..push }, Push { levels: [0, 4], ..push }] {
        assert!(decode::<Push, 16>(&encode(&wrong)).is_err(), "{wrong:?}");
    }
}

#[test]
fn a_page_gives_an_input_as_numbers() {
    let names: Vec<_> = Push::FIELDS.iter().map(|field| field.name).collect();
    assert_eq!(names, ["x", "aim", "levels", "levels", "fire"]);
    assert_eq!(Push::FIELDS.first(), Some(&InputField { name: "x", min: -9, max: 9, buttons: &[] }));
    assert_eq!(Push::FIELDS.last().map(|field| field.buttons), Some(["fire"].as_slice()));
    let push = Push { x: 9, aim: 0, levels: [3, 1], fire: true };
    assert_eq!(Push::from_numbers(&[1_000, -1, 7, 1, 5]), push, "what is out of range is the nearest there is");
    assert_eq!(Push::from_numbers(&[]), Push::default());
}

#[derive(tickwire_game::Input, Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Keys {
    #[buttons(FIRE, DASH)]
    held: u8,
}

#[test]
fn buttons_are_bits_and_other_bits_are_legal() {
    assert_eq!((Keys::FIRE, Keys::DASH), (1, 2));
    assert_eq!(Keys::FIELDS, [InputField { name: "held", min: 0, max: 255, buttons: &["fire", "dash"] }]);
    assert_eq!(decode::<Keys, 16>(&[0xf0]), Ok(Keys { held: 0xf0 }));
}

#[derive(Event, Clone, Copy, Debug, PartialEq, Eq)]
enum Happened {
    Kill {
        killer: PlayerId,
        at: [i32; 2],
    },
    RoundOver,
    Hit {
        #[range(1..=100)]
        damage: u8,
        last: bool,
    },
}

#[test]
fn an_event_reads_back_and_says_what_it_is() {
    let kill = Happened::Kill { killer: PlayerId(300), at: [-1, 2] };
    assert_eq!(kill.to_json(), r#"{"kind":"kill","killer":300,"at":[-1,2]}"#);
    assert_eq!(Happened::read(&encode(&kill)), Some(kill));
    assert_eq!(encode(&Happened::RoundOver), [1]);
    assert_eq!(Happened::RoundOver.to_json(), r#"{"kind":"round_over"}"#);
    let hit = Happened::Hit { damage: 100, last: true };
    assert_eq!(encode(&hit), [2, 100, 1]);
    assert_eq!(Happened::read(&encode(&hit)), Some(hit));
    assert_eq!(Happened::read(&[2, 101, 1]), None, "out of range");
    assert_eq!(Happened::read(&[3]), None, "no such event");
    assert_eq!(Happened::read(&[1, 0]), None, "trailing bytes");
    let types = "| { readonly kind: 'kill'; readonly killer: number; readonly at: number[] }\n\
                 | { readonly kind: 'round_over' }\n\
                 | { readonly kind: 'hit'; readonly damage: number; readonly last: boolean }";
    assert_eq!(Happened::typescript(), types);
}

#[test]
fn a_mistake_is_named_where_it_is_made() {
    trybuild::TestCases::new().compile_fail("tests/mistakes/*.rs");
}
