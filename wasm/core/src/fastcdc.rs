//! FastCDC: Xia et al., "FastCDC: a Fast and Efficient Content-Defined Chunking Approach for Data Deduplication",
//! USENIX ATC '16, with normalised chunking level 2. docs/format.md has the definition this file keeps.
//!
//! The gear table comes from the repository's key: with a public table, chunk lengths alone would tell which files an
//! image holds.

use crate::fingerprint::{Key, derive};

const GEAR_CONTEXT: &[u8] = b"blockvault/1 gear";
/// Bits more before the average and fewer after it: lengths gather around the average.
const NORMALISATION: u32 = 2;

pub struct FastCdc {
    min: usize,
    average: usize,
    max: usize,
    mask_short: u64,
    mask_long: u64,
    gear: Box<[u64; 256]>,
}

impl FastCdc {
    pub fn new(min: usize, average: usize, max: usize, key: &Key) -> Self {
        let bits = log2_rounded(average as u64);
        Self {
            min,
            average,
            max,
            mask_short: top_bits(bits + NORMALISATION),
            mask_long: top_bits(bits - NORMALISATION),
            gear: gear_table(key),
        }
    }

    pub fn cut(&self, rest: &[u8]) -> usize {
        let length = rest.len();
        if length <= self.min {
            return length;
        }
        let (average, max) = (self.average.min(length), self.max.min(length));
        let mut hash = 0u64;
        for (from, to, mask) in [(self.min, average, self.mask_short), (average, max, self.mask_long)] {
            for (index, &byte) in rest[from..to].iter().enumerate() {
                hash = (hash << 1).wrapping_add(self.gear[byte as usize]);
                if hash & mask == 0 {
                    return from + index + 1;
                }
            }
        }
        max
    }
}

fn gear_table(key: &Key) -> Box<[u64; 256]> {
    let mut bytes = [0; 256 * 8];
    derive(key, GEAR_CONTEXT, &mut bytes);
    let mut gear = Box::new([0; 256]);
    for (entry, word) in gear.iter_mut().zip(bytes.as_chunks::<8>().0) {
        *entry = u64::from_le_bytes(*word);
    }
    gear
}

/// The top `count` bits: the hash shifts left, so these have seen the most bytes.
fn top_bits(count: u32) -> u64 {
    u64::MAX << (64 - count)
}

/// log2 rounded to the nearest integer, in integers: `value` is past the middle of its octave when value² ≥ 2^(2·floor+1).
fn log2_rounded(value: u64) -> u32 {
    let floor = value.ilog2();
    floor + u32::from(value * value >= 1 << (2 * floor + 1))
}
