//! Where records end in a stream of TLS.

/// Bytes of a record's header: its type, its version, its length.
const HEADER_BYTES: usize = 5;

/// What has been seen of a stream from its first byte on.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Records {
    header: [u8; HEADER_BYTES],
    /// Bytes of a header that have come.
    known: usize,
    /// Bytes of a record's body that have not come.
    missing: usize,
}

impl Records {
    /// These bytes have come.
    pub(crate) fn pass(&mut self, mut bytes: &[u8]) {
        while let Some((first, rest)) = bytes.split_first() {
            if self.missing > 0 {
                let passed = self.missing.min(bytes.len());
                self.missing -= passed;
                bytes = bytes.get(passed..).unwrap_or_default();
                continue;
            }
            if let Some(place) = self.header.get_mut(self.known) {
                *place = *first;
            }
            self.known += 1;
            bytes = rest;
            if self.known == HEADER_BYTES {
                let [.., high, low] = self.header;
                (self.known, self.missing) = (0, usize::from(u16::from_be_bytes([high, low])));
            }
        }
    }

    /// Whether no record has begun and not ended.
    pub(crate) fn is_between(self) -> bool {
        self.known == 0 && self.missing == 0
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn however_a_stream_is_cut_its_records_end_where_they_end(
            bodies in prop::collection::vec(0_usize..600, 1..6),
            cuts in prop::collection::vec(1_usize..40, 1..40),
        ) {
            let mut stream = Vec::new();
            let mut ends = vec![0];
            for body in bodies {
                stream.extend([23, 3, 3]);
                stream.extend((body as u16).to_be_bytes());
                stream.extend(std::iter::repeat_n(7, body));
                ends.push(stream.len());
            }
            let mut records = Records::default();
            let (mut at, mut cuts) = (0, cuts.into_iter().cycle());
            while at < stream.len() {
                prop_assert_eq!(records.is_between(), ends.contains(&at));
                let next = stream.len().min(at + cuts.next().unwrap_or(1));
                records.pass(&stream[at..next]);
                at = next;
            }
            prop_assert!(records.is_between());
        }
    }
}
