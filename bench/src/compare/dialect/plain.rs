//! What people write by hand: an input as JSON, or as a few packed bytes.

use std::io::Write as _;

use crate::trace::Controls;

/// `{"seq":1,"x":-50,"y":117,"aim":513,"fire":false}`
#[derive(Debug, Default)]
pub(crate) struct Json {
    seq: u32,
}

impl Json {
    pub(super) fn say(&mut self, controls: Controls, out: &mut Vec<u8>) {
        self.seq = self.seq.wrapping_add(1);
        let Controls { x, y, aim, fire } = controls;
        // Writing to memory does not fail.
        let _ = write!(out, r#"{{"seq":{},"x":{x},"y":{y},"aim":{aim},"fire":{fire}}}"#, self.seq);
    }
}

/// Nine bytes, little endian: seq `u32`, x `i8`, y `i8`, aim `u16`, fire `u8`.
#[derive(Debug, Default)]
pub(crate) struct Packed {
    seq: u32,
}

impl Packed {
    pub(super) fn say(&mut self, controls: Controls, out: &mut Vec<u8>) {
        self.seq = self.seq.wrapping_add(1);
        out.extend_from_slice(&self.seq.to_le_bytes());
        out.extend_from_slice(&[controls.x as u8, controls.y as u8]);
        out.extend_from_slice(&controls.aim.to_le_bytes());
        out.push(u8::from(controls.fire));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONTROLS: Controls = Controls { x: -50, y: 117, aim: 513, fire: true };

    #[test]
    fn json_is_json() {
        let mut out = Vec::new();
        Json::default().say(CONTROLS, &mut out);
        let value: serde_json::Value = serde_json::from_slice(&out).expect("JSON");
        assert_eq!(value, serde_json::json!({"seq": 1, "x": -50, "y": 117, "aim": 513, "fire": true}));
    }

    #[test]
    fn packed_is_nine_bytes() {
        let mut out = Vec::new();
        Packed::default().say(CONTROLS, &mut out);
        assert_eq!(out, [1, 0, 0, 0, 0xce, 117, 1, 2, 1]);
    }
}
