//! What Redis answered, taken apart. What is not as our scripts say it is nonsense.

use bytes::Bytes;
use redis::Value;
use tickwire_protocol::MatchId;

use crate::store::{NodeCard, NodeId, Owner, StoreError};
use crate::{Claim, Epoch, Kept, MatchEntry, Written};

pub(super) type Parsed<T> = Result<T, StoreError>;

pub(super) fn nonsense(what: &str) -> StoreError {
    StoreError::Nonsense(what.to_owned())
}

/// An array's values, one after another.
pub(super) struct Fields(std::vec::IntoIter<Value>);

impl Fields {
    pub(super) fn of(value: Value) -> Parsed<Self> {
        match value {
            Value::Array(values) => Ok(Self(values.into_iter())),
            Value::Nil => Ok(Self(Vec::new().into_iter())),
            _ => Err(nonsense("not a list")),
        }
    }

    pub(super) fn bytes(&mut self) -> Parsed<Bytes> {
        self.next_bytes().ok_or_else(|| nonsense("a list ends too early"))?
    }

    pub(super) fn next_bytes(&mut self) -> Option<Parsed<Bytes>> {
        self.0.next().map(bytes)
    }

    fn text(&mut self) -> Parsed<String> {
        String::from_utf8(self.bytes()?.to_vec()).map_err(|_| nonsense("not a text"))
    }

    fn number(&mut self) -> Parsed<u64> {
        self.text()?.parse().map_err(|_| nonsense("not a number"))
    }

    fn flag(&mut self) -> Parsed<bool> {
        match self.0.next() {
            Some(Value::Int(number)) => Ok(number != 0),
            _ => Err(nonsense("not a yes or no")),
        }
    }

    fn owner(&mut self) -> Parsed<Owner> {
        let node = NodeId::new(&self.text()?).map_err(|_| nonsense("not a node's name"))?;
        Ok(Owner { node, epoch: Epoch(self.number()?) })
    }
}

pub(super) fn bytes(value: Value) -> Parsed<Bytes> {
    match value {
        Value::BulkString(bytes) => Ok(Bytes::from(bytes)),
        Value::SimpleString(text) => Ok(Bytes::from(text)),
        _ => Err(nonsense("not bytes")),
    }
}

pub(super) fn optional_bytes(value: Value) -> Parsed<Option<Bytes>> {
    if value == Value::Nil { Ok(None) } else { bytes(value).map(Some) }
}

pub(super) fn match_id(hex: &Bytes) -> Parsed<MatchId> {
    std::str::from_utf8(hex).ok().and_then(|text| text.parse().ok()).ok_or_else(|| nonsense("not a match"))
}

/// What came of a write, and when the lease ends if there is one now.
pub(super) fn written(value: Value) -> Parsed<(Written, Option<u64>)> {
    let mut fields = Fields::of(value)?;
    match &fields.bytes()?[..] {
        b"done" => Ok((Written::Done, Some(fields.number()?))),
        b"adopted" => Ok((Written::Adopted, Some(fields.number()?))),
        b"fenced" if fields.0.len() == 0 => Ok((Written::Fenced(None), None)),
        b"fenced" => Ok((Written::Fenced(Some(fields.owner()?)), None)),
        _ => Err(nonsense("not what comes of a write")),
    }
}

/// What came of a claim, and when the lease ends if it was granted.
pub(super) fn claimed(value: Value) -> Parsed<(Claim, Option<u64>)> {
    let mut fields = Fields::of(value)?;
    match &fields.bytes()?[..] {
        b"unknown" => Ok((Claim::Unknown, None)),
        b"held" => Ok((Claim::Held(fields.owner()?), None)),
        b"granted" => {
            let epoch = Epoch(fields.number()?);
            let end = fields.number()?;
            let (checkpoint, first) = (fields.bytes()?, fields.number()?);
            let mut of_records = Fields::of(fields.0.next().unwrap_or(Value::Nil))?;
            let mut records = Vec::with_capacity(of_records.0.len());
            while let Some(record) = of_records.next_bytes() {
                records.push(record?);
            }
            Ok((Claim::Granted { epoch, kept: Kept { checkpoint, first, records } }, Some(end)))
        }
        _ => Err(nonsense("not what comes of a claim")),
    }
}

/// A match that was found.
pub(super) struct Found {
    pub(super) entry: MatchEntry,
    /// By the store's clock.
    pub(super) lease_end: u64,
    pub(super) has_checkpoint: bool,
}

impl Found {
    /// Somebody runs it, or could claim it.
    pub(super) fn has_future(&self) -> bool {
        self.entry.is_held || self.has_checkpoint
    }
}

pub(super) fn found(id: MatchId, value: Value) -> Parsed<Option<Found>> {
    if value == Value::Nil {
        return Ok(None);
    }
    let mut fields = Fields::of(value)?;
    let owner = fields.owner()?;
    let lease_end = fields.number()?;
    let is_held = fields.flag()?;
    let has_checkpoint = fields.flag()?;
    Ok(Some(Found { entry: MatchEntry { id, owner, is_held, card: fields.bytes()? }, lease_end, has_checkpoint }))
}

/// A node's card as it is kept: fields apart by spaces, and the address last. Starts with its
/// incarnation.
pub(super) fn write_card(card: &NodeCard) -> String {
    let NodeCard { id: _, incarnation, address, load_permille, matches, is_draining } = card;
    format!("{incarnation:016x} {load_permille} {matches} {} {address}", u8::from(*is_draining))
}

pub(super) fn read_card(name: &Bytes, card: &Bytes) -> Parsed<NodeCard> {
    parse_card(name, card).ok_or_else(|| nonsense("not a node's card"))
}

fn parse_card(name: &Bytes, card: &Bytes) -> Option<NodeCard> {
    let id = NodeId::new(std::str::from_utf8(name).ok()?).ok()?;
    let mut fields = std::str::from_utf8(card).ok()?.splitn(5, ' ');
    Some(NodeCard {
        id,
        incarnation: u64::from_str_radix(fields.next()?, 16).ok()?,
        load_permille: fields.next()?.parse().ok()?,
        matches: fields.next()?.parse().ok()?,
        is_draining: fields.next()? == "1",
        address: fields.next()?.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_card_reads_back_and_nothing_else_does() {
        let card = NodeCard {
            id: NodeId::new("a").unwrap(),
            incarnation: 7,
            address: "http://h/a b/".to_owned(),
            load_permille: 950,
            matches: 3,
            is_draining: true,
        };
        let written = Bytes::from(write_card(&card));
        assert_eq!(read_card(&"a".into(), &written), Ok(card));
        for other in ["", "7", "x 1 1 1 a", "7 1 1 1"] {
            assert!(read_card(&"a".into(), &other.into()).is_err(), "{other:?}");
        }
        assert!(read_card(&"A".into(), &written).is_err());
    }

    #[test]
    fn what_our_scripts_do_not_say_is_nonsense() {
        let odd = [
            Value::Nil,
            Value::Int(1),
            Value::Okay,
            Value::Array(vec![Value::BulkString(b"done".to_vec())]),
            Value::Array(vec![Value::BulkString(b"held".to_vec()), Value::BulkString(b"A".to_vec())]),
            Value::Array(vec![Value::BulkString(b"granted".to_vec()), Value::BulkString(b"-1".to_vec())]),
        ];
        for value in odd {
            assert!(matches!(written(value.clone()), Err(StoreError::Nonsense(_))), "{value:?}");
            assert!(matches!(claimed(value.clone()), Err(StoreError::Nonsense(_))), "{value:?}");
        }
        assert!(matches!(found(MatchId([0; 16]), Value::Int(1)), Err(StoreError::Nonsense(_))));
    }
}
