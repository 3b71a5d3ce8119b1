//! How plain values are encoded.

use serde_json::{Value, json};
use tickwire_protocol::codec::{BoundedBytes, BoundedVec, encode};
use tickwire_protocol::text::Name;

use super::{Fixture, Vector, hex};

#[test]
fn golden_primitives() {
    let mut vectors = Vec::new();
    let mut add = |name, kind: &str, bytes: Vec<u8>, value: Value| {
        vectors.push(Vector::new(name, &bytes, json!({ "type": kind, "is": value })));
    };
    add("u8_255", "u8", encode(&255u8), json!(255));
    add("i8_minus_2", "i8", encode(&-2i8), json!(-2));
    add("bool_false", "bool", encode(&false), json!(false));
    add("bool_true", "bool", encode(&true), json!(true));
    add("u16_0", "u16", encode(&0u16), json!(0));
    add("u16_250", "u16", encode(&250u16), json!(250));
    add("u16_251", "u16", encode(&251u16), json!(251));
    add("u16_max", "u16", encode(&u16::MAX), json!(u16::MAX));
    add("u32_65535", "u32", encode(&65_535u32), json!(65_535));
    add("u32_65536", "u32", encode(&65_536u32), json!(65_536));
    add("u32_max", "u32", encode(&u32::MAX), json!(u32::MAX));
    add("u64_7", "u64", encode(&7u64), json!("0000000000000007"));
    add("u64_2_to_the_32", "u64", encode(&(1u64 << 32)), json!("0000000100000000"));
    add("u64_max", "u64", encode(&u64::MAX), json!("ffffffffffffffff"));
    add("i16_minus_1", "i16", encode(&-1i16), json!(-1));
    add("i16_1", "i16", encode(&1i16), json!(1));
    add("i16_min", "i16", encode(&i16::MIN), json!(i16::MIN));
    add("i32_minus_126", "i32", encode(&-126i32), json!(-126));
    add("i32_125", "i32", encode(&125i32), json!(125));
    add("i32_min", "i32", encode(&i32::MIN), json!(i32::MIN));
    add("i32_max", "i32", encode(&i32::MAX), json!(i32::MAX));
    add("option_none", "option<u16>", encode(&None::<u16>), json!(null));
    add("option_some", "option<u16>", encode(&Some(300u16)), json!(300));
    add("bytes16", "bytes16", encode(&[7u8; 16]), json!(hex(&[7; 16])));
    add("bytes_empty", "bytes", encode(&BoundedBytes::<256>::default()), json!(""));
    add("bytes_3", "bytes", encode(&BoundedBytes::<256>::new(vec![1, 2, 255]).expect("short")), json!("0102ff"));
    add("string", "string", encode(&Name::truncated("Ædå")), json!("Ædå"));
    add("list_of_u16", "list<u16>", encode(&BoundedVec::<u16, 8>::truncated(vec![1, 300])), json!([1, 300]));
    let about = "Plain values. 64-bit numbers are 16 hex digits, byte strings are hex. See docs/PROTOCOL.md, Values.";
    Fixture { file: "primitives.json", head: vec![("about", json!(about))], vectors }.check();
}
