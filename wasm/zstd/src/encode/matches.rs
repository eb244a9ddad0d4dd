//! The match finder: one hash table over all positions of a frame, and the first match found is taken.

use crate::format::{BLOCK_BYTES_MAX, MATCH_BYTES_MIN, REPEATED_OFFSETS};
use crate::words::{boxed, copy_16, read_u32, read_u64};

const HASH_LOG: u32 = 15;
/// A match has at least this many bytes.
const LENGTH_MIN: usize = 4;
/// After 2^this bytes without a match the search takes steps one longer.
const SKIP_LOG: u32 = 7;
/// Positions this near the end are not looked at: words are loaded whole.
const TAIL: usize = 16;
pub const SEQUENCES_MAX: usize = BLOCK_BYTES_MAX / LENGTH_MIN;
const LITERALS_SLACK: usize = 32;
/// Bases are reset long before positions wrap.
const BASE_MAX: u32 = 1 << 31;

/// Offset value << 36 | match length over 3 << 18 | literals length
#[derive(Clone, Copy, Default)]
pub struct Sequence(u64);

impl Sequence {
    #[inline(always)]
    fn new(literals: usize, length: usize, offset_value: u32) -> Self {
        Self(literals as u64 | ((length - MATCH_BYTES_MIN as usize) as u64) << 18 | u64::from(offset_value) << 36)
    }

    #[inline(always)]
    pub fn literals(self) -> u32 {
        self.0 as u32 & 0x3_FFFF
    }

    #[inline(always)]
    pub fn match_over(self) -> u32 {
        (self.0 >> 18) as u32 & 0x3_FFFF
    }

    /// Offset_Value (3.1.1.3.2.1.1): 1 to 3 repeat, others are the offset plus 3.
    #[inline(always)]
    pub fn offset_value(self) -> u32 {
        (self.0 >> 36) as u32
    }
}

/// What a block comes apart into.
pub struct Parse {
    literals: Box<[u8; BLOCK_BYTES_MAX + LITERALS_SLACK]>,
    literals_length: usize,
    sequences: Box<[Sequence; SEQUENCES_MAX]>,
    count: usize,
}

impl Parse {
    pub fn literals(&self) -> &[u8] {
        &self.literals[..self.literals_length]
    }

    pub fn sequences(&self) -> &[Sequence] {
        &self.sequences[..self.count]
    }

    pub fn count(&self) -> usize {
        self.count
    }

    #[inline(always)]
    fn push(&mut self, source: &[u8], from: usize, to: usize, length: usize, offset_value: u32) {
        let count = to - from;
        let at = self.literals_length;
        if count <= 16 && from + 16 <= source.len() {
            copy_16(&mut *self.literals, at, source, from);
        } else {
            self.literals[at..at + count].copy_from_slice(&source[from..to]);
        }
        self.literals_length = at + count;
        self.sequences[self.count % SEQUENCES_MAX] = Sequence::new(count, length, offset_value);
        self.count += 1;
    }

    fn end(&mut self, literals: &[u8]) {
        self.literals[self.literals_length..][..literals.len()].copy_from_slice(literals);
        self.literals_length += literals.len();
    }
}

pub struct MatchFinder {
    /// Position + base of the last place with this hash. What an earlier frame left is below this frame's base.
    table: Box<[u32; 1 << HASH_LOG]>,
    base: u32,
    pub parse: Parse,
}

impl Default for MatchFinder {
    fn default() -> Self {
        let parse =
            Parse { literals: boxed(0), literals_length: 0, sequences: boxed(Sequence::default()), count: 0 };
        Self { table: boxed(0), base: 1, parse }
    }
}

impl MatchFinder {
    pub fn begin(&mut self) -> [u32; 2] {
        if self.base > BASE_MAX {
            self.table.fill(0);
            self.base = 1;
        }
        [REPEATED_OFFSETS[0], REPEATED_OFFSETS[1]]
    }

    pub fn end(&mut self, frame_bytes: usize) {
        self.base += frame_bytes as u32;
    }

    /// Parses `source[start..end]` with everything before it to refer to; returns the offsets it leaves.
    pub fn find(&mut self, source: &[u8], start: usize, end: usize, offsets: [u32; 2]) -> [u32; 2] {
        let (table, base, parse) = (&mut *self.table, self.base, &mut self.parse);
        (parse.literals_length, parse.count) = (0, 0);
        let [mut r0, mut r1] = offsets.map(|offset| offset as usize);
        let (mut anchor, mut at) = (start, start);
        let limit = end.saturating_sub(TAIL);
        let candidates = source.len().saturating_sub(7);
        while at < limit {
            let word = read_u64(source, at);
            let slot = &mut table[hash(word)];
            let candidate = slot.wrapping_sub(base) as usize;
            *slot = at as u32 + base;
            // The offset just used, one byte on: so that there is a literal, as the code for it demands.
            let repeated = (at + 1).wrapping_sub(r0);
            if repeated < candidates && read_u32(source, repeated) == (word >> 8) as u32 {
                at += 1;
                let length = 4 + common(source, at + 4, repeated + 4, end);
                parse.push(source, anchor, at, length, 1);
                at += length;
            } else if candidate < candidates && read_u32(source, candidate) == word as u32 {
                let mut length = 4 + common(source, at + 4, candidate + 4, end);
                let mut from = candidate;
                let offset = at - from;
                while at > anchor && from > 0 && source[at - 1] == source[from - 1] {
                    (at, from, length) = (at - 1, from - 1, length + 1);
                }
                (r1, r0) = (r0, offset);
                parse.push(source, anchor, at, length, offset as u32 + 3);
                at += length;
            } else {
                at += 1 + (at - anchor >> SKIP_LOG);
                continue;
            }
            anchor = at;
            if at >= limit {
                break;
            }
            let inside = at - 2;
            table[hash(read_u64(source, inside))] = inside as u32 + base;
            // Without literals between, the first code means the offset before the last.
            loop {
                let repeated = at.wrapping_sub(r1);
                if at >= limit || repeated >= candidates || read_u32(source, at) != read_u32(source, repeated) {
                    break;
                }
                let length = 4 + common(source, at + 4, repeated + 4, end);
                table[hash(read_u64(source, at))] = at as u32 + base;
                (r0, r1) = (r1, r0);
                parse.push(source, at, at, length, 1);
                at += length;
                anchor = at;
            }
        }
        parse.end(&source[anchor..end]);
        [r0 as u32, r1 as u32]
    }
}

#[inline(always)]
fn hash(word: u64) -> usize {
    ((word << 16).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> (64 - HASH_LOG)) as usize
}

/// How many bytes from `at` on, before `end`, are those from `from` on.
#[inline(always)]
fn common(source: &[u8], at: usize, from: usize, end: usize) -> usize {
    let mut done = 0;
    while at + done + 8 <= end {
        let differing = read_u64(source, at + done) ^ read_u64(source, from + done);
        if differing != 0 {
            return done + (differing.trailing_zeros() / 8) as usize;
        }
        done += 8;
    }
    while at + done < end && source[at + done] == source[from + done] {
        done += 1;
    }
    done
}
