//! Sets of message numbers or unique ids (RFC 9051 §9, sequence-set).

use std::fmt;

use imap_codec::imap_types::sequence::{SeqOrUid, Sequence, SequenceSet};

/// Ranges, each with both ends; none is `*`, the largest number there is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NumberSet(Vec<(Option<u32>, Option<u32>)>);

impl NumberSet {
    /// One number. Numbers begin with 1; 0 names nothing.
    #[must_use]
    pub fn one(number: u32) -> Self {
        Self(vec![(Some(number), Some(number))])
    }

    /// Whether `number` is in it, where `largest` is the largest that there is. RFC 9051 §9: the ends of a range may come in
    /// either order.
    #[must_use]
    pub fn contains(&self, number: u32, largest: u32) -> bool {
        self.0.iter().any(|(one, other)| {
            let (one, other) = (one.unwrap_or(largest), other.unwrap_or(largest));
            (one.min(other)..=one.max(other)).contains(&number)
        })
    }

    pub(super) fn from_codec(set: &SequenceSet) -> Self {
        let end = |it: &SeqOrUid| match it {
            SeqOrUid::Value(number) => Some(number.get()),
            SeqOrUid::Asterisk => None,
        };
        Self(
            set.0
                .as_ref()
                .iter()
                .map(|it| match it {
                    Sequence::Single(one) => (end(one), end(one)),
                    Sequence::Range(one, other) => (end(one), end(other)),
                })
                .collect(),
        )
    }
}

impl fmt::Display for NumberSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |end: &Option<u32>| end.map_or_else(|| "*".to_owned(), |it| it.to_string());
        for (nth, (one, other)) in self.0.iter().enumerate() {
            if nth > 0 {
                f.write_str(",")?;
            }
            f.write_str(&shown(one))?;
            if one != other {
                write!(f, ":{}", shown(other))?;
            }
        }
        Ok(())
    }
}
