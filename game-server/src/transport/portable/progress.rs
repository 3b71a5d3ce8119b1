//! Whether a client is in the middle of saying something. tungstenite does not tell, so the frames
//! are followed as they pass, and none of their bytes is kept.

use crate::transport::frame::HEADER_BYTES_MAX;

const FINAL: u8 = 0x80;
const MASKED: u8 = 0x80;
const CONTROL: u8 = 0x08;

/// How far a stream of frames has come.
#[derive(Debug, Default)]
pub(super) struct Progress {
    header: [u8; HEADER_BYTES_MAX],
    /// Of these, so many have come.
    header_bytes: usize,
    /// Of the frame's payload, so many are still to come.
    payload_left: u64,
    /// A message has begun, and its last fragment has not come.
    is_within_message: bool,
}

impl Progress {
    /// More has come.
    pub(super) fn follow(&mut self, mut bytes: &[u8]) {
        while let [first, rest @ ..] = bytes {
            if self.payload_left > 0 {
                let taken = usize::try_from(self.payload_left).unwrap_or(usize::MAX).min(bytes.len());
                self.payload_left -= taken as u64;
                bytes = bytes.get(taken..).unwrap_or_default();
                continue;
            }
            if let Some(place) = self.header.get_mut(self.header_bytes) {
                *place = *first;
            }
            self.header_bytes += 1;
            bytes = rest;
            self.end_header();
        }
    }

    /// Whether a frame or a message has begun and not ended.
    pub(super) fn is_unfinished(&self) -> bool {
        self.is_within_message || self.payload_left > 0 || self.header_bytes > 0
    }

    /// Goes on to the payload when the header is complete.
    fn end_header(&mut self) {
        let [first, second, extended @ ..] = self.header;
        if self.header_bytes < 2 {
            return;
        }
        let [a, b, ..] = extended;
        let (more, length) = match second & !MASKED {
            126 => (2, u64::from(u16::from_be_bytes([a, b]))),
            127 => (8, extended.first_chunk().map_or(0, |length| u64::from_be_bytes(*length))),
            short => (0, u64::from(short)),
        };
        let mask = if second & MASKED == 0 { 0 } else { 4 };
        if self.header_bytes < 2 + more + mask {
            return;
        }
        (self.header_bytes, self.payload_left) = (0, length);
        if first & CONTROL == 0 {
            self.is_within_message = first & FINAL == 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_end_of_a_message_ends_it_however_it_is_cut() {
        let mask = [1, 2, 3, 4];
        let head = |first: u8, length: &[u8]| [&[first], length, &mask].concat();
        let long = [head(0x82, &[0xfe, 1, 0]), vec![0; 256]].concat();
        let begun = [head(0x02, &[0x81]), vec![7]].concat();
        let ping = head(0x89, &[0x80]);
        let last = head(0x80, &[0x80]);
        let longest = head(0x82, &[0xff, 0, 0, 0, 0, 0, 0, 0, 0]);
        let steps = [(long, false), (ping.clone(), false), (begun, true), (ping, true), (last, false), (longest, false)];
        for piece in [1, 3, 1_000] {
            let mut progress = Progress::default();
            for (bytes, is_unfinished) in &steps {
                let (body, end) = bytes.split_at(bytes.len() - 1);
                body.chunks(piece).for_each(|piece| progress.follow(piece));
                assert!(progress.is_unfinished(), "a byte is missing");
                progress.follow(end);
                assert_eq!(progress.is_unfinished(), *is_unfinished, "{bytes:x?}");
            }
        }
    }
}
