//! Writes JSON: the few shapes the page needs, without a serialiser's weight.
//!
//! Invariant: what a [`Json`] has written is valid as soon as everything opened is closed; a line never contains a newline.

/// Appends JSON to a buffer, with commas where they belong.
#[derive(Debug)]
pub struct Json<'a> {
    out: &'a mut Vec<u8>,
    /// Whether the next value is the first in its object or list.
    first: bool,
}

impl<'a> Json<'a> {
    /// Writes at the end of `out`.
    pub fn new(out: &'a mut Vec<u8>) -> Self {
        Self { out, first: true }
    }

    /// `{...}`, filled by `fill`.
    pub fn object(&mut self, fill: impl FnOnce(&mut Self)) {
        self.nested(b'{', b'}', fill);
    }

    /// `[...]` with an element for each item, written by `element`.
    pub fn list<T>(&mut self, items: impl IntoIterator<Item = T>, mut element: impl FnMut(&mut Self, T)) {
        self.nested(b'[', b']', |json| items.into_iter().for_each(|item| element(json, item)));
    }

    /// The key of the next value. `name` must need no escaping.
    pub fn key(&mut self, name: &str) -> &mut Self {
        self.separate();
        self.out.push(b'"');
        self.out.extend_from_slice(name.as_bytes());
        self.out.extend_from_slice(b"\":");
        self.first = true;
        self
    }

    /// What kind of record this object is.
    pub fn kind(&mut self, name: &str) {
        self.key("type").string(name);
    }

    /// A string.
    pub fn string(&mut self, text: &str) {
        self.separate();
        self.out.push(b'"');
        for byte in text.bytes() {
            match byte {
                b'"' | b'\\' => self.out.extend_from_slice(&[b'\\', byte]),
                0..=0x1f | 0x7f => {
                    self.out.extend_from_slice(b"\\u00");
                    self.out.extend_from_slice(&[hex_digit(byte >> 4), hex_digit(byte & 15)]);
                }
                _ => self.out.push(byte),
            }
        }
        self.out.push(b'"');
    }

    /// Bytes as a string of lower-case hex digits.
    pub fn hex(&mut self, bytes: &[u8]) {
        self.separate();
        self.out.push(b'"');
        for byte in bytes {
            self.out.extend_from_slice(&[hex_digit(byte >> 4), hex_digit(byte & 15)]);
        }
        self.out.push(b'"');
    }

    /// An integer.
    pub fn number(&mut self, value: impl Into<i64>) {
        self.integer(value.into());
    }

    fn integer(&mut self, value: i64) {
        self.separate();
        if value < 0 {
            self.out.push(b'-');
        }
        let start = self.out.len();
        let mut rest = value.unsigned_abs();
        loop {
            self.out.push(b'0' + (rest % 10) as u8);
            rest /= 10;
            if rest == 0 {
                break;
            }
        }
        if let Some(digits) = self.out.get_mut(start..) {
            digits.reverse();
        }
    }

    /// An integer, or null.
    pub fn number_or_null(&mut self, value: Option<impl Into<i64>>) {
        match value {
            Some(value) => self.integer(value.into()),
            None => self.raw("null"),
        }
    }

    /// True or false.
    pub fn boolean(&mut self, value: bool) {
        self.raw(if value { "true" } else { "false" });
    }

    /// A value that is JSON already.
    pub fn raw(&mut self, json: &str) {
        self.separate();
        self.out.extend_from_slice(json.as_bytes());
    }

    fn nested(&mut self, open: u8, close: u8, fill: impl FnOnce(&mut Self)) {
        self.separate();
        self.out.push(open);
        self.first = true;
        fill(self);
        self.out.push(close);
        self.first = false;
    }

    fn separate(&mut self) {
        if !core::mem::replace(&mut self.first, false) {
            self.out.push(b',');
        }
    }
}

const fn hex_digit(nibble: u8) -> u8 {
    if nibble < 10 { b'0' + nibble } else { b'a' + nibble - 10 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn written(fill: impl FnOnce(&mut Json<'_>)) -> String {
        let mut out = Vec::new();
        fill(&mut Json::new(&mut out));
        String::from_utf8(out).expect("JSON is UTF-8")
    }

    #[test]
    fn nested_values_get_their_commas() {
        let text = written(|json| {
            json.object(|json| {
                json.key("a").number(-12);
                json.key("b").list([1u8, 2], |json, n| json.object(|json| json.key("n").number(n)));
                json.key("c").list([0u8; 0], Json::number);
                json.key("d").hex(&[0xab, 0x01]);
                json.key("e").number_or_null(None::<i64>);
                json.key("f").boolean(true);
            });
        });
        assert_eq!(text, r#"{"a":-12,"b":[{"n":1},{"n":2}],"c":[],"d":"ab01","e":null,"f":true}"#);
    }

    #[test]
    fn the_ends_of_the_integers_are_written_whole() {
        assert_eq!(written(|json| json.list([i64::MIN, i64::MAX, 0], Json::number)), format!("[{},{},0]", i64::MIN, i64::MAX));
    }

    proptest! {
        #[test]
        fn any_text_reads_back(text in any::<String>()) {
            let json = written(|json| json.string(&text));
            prop_assert!(!json.contains('\n'));
            prop_assert_eq!(serde_json::from_str::<String>(&json).expect("valid JSON"), text);
        }
    }
}
