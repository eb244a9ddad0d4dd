//! FastCDC: Xia et al., "FastCDC: a Fast and Efficient Content-Defined Chunking Approach for Data Deduplication",
//! USENIX ATC '16, with normalised chunking level 2. docs/format.md has the definition this file keeps.
//!
//! The gear table comes from the repository's key: with a public table, chunk lengths alone would tell which files an
//! image holds.

use crate::fingerprint::{Key, derive};

const GEAR_CONTEXT: &[u8] = b"blockvault/1 gear";
/// Bits more before the average and fewer after it: lengths gather around the average.
const NORMALISATION: u32 = 2;

const STRETCHES: usize = 4;
/// Longer stretches warm up less often, shorter ones look less far behind a cut: both cost about 4 % at chunks of 64 KiB.
const STRETCH_BYTES: usize = 1024;
const BLOCK_BYTES: usize = STRETCHES * STRETCH_BYTES;

type Gear = [u64; 256];

pub struct FastCdc {
    min: usize,
    average: usize,
    max: usize,
    mask_short: u64,
    mask_long: u64,
    gear: Box<Gear>,
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
        let mut hash = 0;
        let short =
            find_cut(&self.gear, self.mask_short, &rest[self.min..average], &mut hash).map(|place| self.min + place);
        let cut = short.or_else(|| {
            find_cut(&self.gear, self.mask_long, &rest[average..max], &mut hash).map(|place| average + place)
        });
        cut.map_or(max, |place| place + 1)
    }
}

/// Offset of the first byte of `bytes` after which no masked bit of the rolling hash is set. `hash` is that before `bytes`,
/// and then that after the last byte looked at.
///
/// Each hash waits for the one before it, which leaves a core half idle. But a hash forgets: after 64 shifts a byte is
/// gone. So four stretches are hashed side by side, each but the first warmed up with the 64 bytes before it.
fn find_cut(gear: &Gear, mask: u64, bytes: &[u8], hash: &mut u64) -> Option<usize> {
    let (blocks, rest) = bytes.as_chunks::<BLOCK_BYTES>();
    for (number, block) in blocks.iter().enumerate() {
        if let Some(place) = find_cut_in_block(gear, mask, block, hash) {
            return Some(number * BLOCK_BYTES + place);
        }
    }
    find_cut_in_turn(gear, mask, rest, hash).map(|place| blocks.len() * BLOCK_BYTES + place)
}

fn find_cut_in_turn(gear: &Gear, mask: u64, bytes: &[u8], hash: &mut u64) -> Option<usize> {
    for (place, &byte) in bytes.iter().enumerate() {
        *hash = roll(gear, *hash, byte);
        if *hash & mask == 0 {
            return Some(place);
        }
    }
    None
}

fn find_cut_in_block(gear: &Gear, mask: u64, block: &[u8; BLOCK_BYTES], hash: &mut u64) -> Option<usize> {
    let [first, second, third, fourth] = block.as_chunks::<STRETCH_BYTES>().0 else {
        unreachable!("a block has four stretches")
    };
    let mut hashes = [*hash, warmed(gear, first), warmed(gear, second), warmed(gear, third)];
    for place in 0..STRETCH_BYTES {
        hashes[0] = roll(gear, hashes[0], first[place]);
        hashes[1] = roll(gear, hashes[1], second[place]);
        hashes[2] = roll(gear, hashes[2], third[place]);
        hashes[3] = roll(gear, hashes[3], fourth[place]);
        if hashes.iter().any(|hash| hash & mask == 0) {
            return Some(first_of(gear, mask, block, &hashes, place));
        }
    }
    *hash = hashes[3];
    None
}

/// The first cut of a block, where some stretch has one at `place` and none has one before: an earlier stretch may have
/// another behind `place`.
#[cold]
fn first_of(gear: &Gear, mask: u64, block: &[u8; BLOCK_BYTES], hashes: &[u64; STRETCHES], place: usize) -> usize {
    for (stretch, &hash) in hashes.iter().enumerate() {
        let start = stretch * STRETCH_BYTES;
        if hash & mask == 0 {
            return start + place;
        }
        let behind = start + place + 1;
        if let Some(further) = find_cut_in_turn(gear, mask, &block[behind..start + STRETCH_BYTES], &mut { hash }) {
            return behind + further;
        }
    }
    unreachable!("some stretch has a cut")
}

#[inline(always)]
fn roll(gear: &Gear, hash: u64, byte: u8) -> u64 {
    (hash << 1).wrapping_add(gear[byte as usize])
}

/// The hash after a stretch: that of its last 64 bytes.
fn warmed(gear: &Gear, stretch: &[u8; STRETCH_BYTES]) -> u64 {
    stretch[STRETCH_BYTES - 64..].iter().fold(0, |hash, &byte| roll(gear, hash, byte))
}

fn gear_table(key: &Key) -> Box<Gear> {
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
