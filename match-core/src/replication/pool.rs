//! Shared bytes without an allocation for each: a buffer is used again when nobody has its last
//! bytes any more.

use bytes::{Bytes, BytesMut};

/// A stream of byte strings, the last of which may still be in use while the next is made.
#[derive(Debug, Default)]
pub(crate) struct Pool {
    /// Used in turn: the last bytes may be in use while the next are made.
    buffers: [BytesMut; 2],
}

impl Pool {
    /// `parts`, one after the other. Allocates only if the bytes from two calls ago are still in
    /// use, or were fewer than ever before.
    pub(crate) fn concat(&mut self, parts: &[&[u8]]) -> Bytes {
        let length = parts.iter().map(|part| part.len()).sum();
        if length == 0 {
            return Bytes::new();
        }
        self.buffers.swap(0, 1);
        let [buffer, _] = &mut self.buffers;
        if !buffer.try_reclaim(length) {
            // A little more than needed: lengths go up and down.
            buffer.reserve(length.next_power_of_two());
        }
        parts.iter().for_each(|part| buffer.extend_from_slice(part));
        buffer.split().freeze()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_in_use_are_never_written_over_and_others_cost_nothing() {
        let mut pool = Pool::default();
        let kept: Vec<Bytes> = (0..10u8).map(|number| pool.concat(&[&[number], &[number; 9]])).collect();
        assert!((0..10u8).zip(&kept).all(|(number, bytes)| bytes[..] == [number; 10]));
        drop(kept);
        let cost = allocation_counter::measure(|| (0..100).for_each(|_| assert_eq!(pool.concat(&[b"again"]), "again")));
        assert_eq!(cost.count_total, 0, "{cost:?}");
        assert!(pool.concat(&[]).is_empty());
    }
}
