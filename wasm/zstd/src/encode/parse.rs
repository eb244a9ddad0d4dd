//! What a block comes apart into: sequences, and the literals between their matches in one run.

use super::window::{Window, vector};
use crate::boxed::boxed;
use crate::format::{BLOCK_BYTES_MAX, MATCH_BYTES_MIN};

/// No match is shorter than four bytes.
pub const SEQUENCES_MAX: usize = BLOCK_BYTES_MAX / 4;
const SLACK: usize = 32;

/// Offset value << 36 | match length over 3 << 18 | literals length
#[derive(Clone, Copy, Default)]
pub struct Sequence(u64);

impl Sequence {
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

pub struct Parse {
    literals: Box<[u8; BLOCK_BYTES_MAX + SLACK]>,
    literals_length: usize,
    sequences: Box<[Sequence; SEQUENCES_MAX]>,
    count: usize,
}

impl Default for Parse {
    fn default() -> Self {
        Self { literals: boxed(0), literals_length: 0, sequences: boxed(Sequence::default()), count: 0 }
    }
}

impl Parse {
    pub fn literals(&self) -> &[u8] {
        &self.literals[..self.literals_length]
    }

    pub fn sequences(&self) -> &[Sequence] {
        &self.sequences[..self.count]
    }

    pub fn begin<'a>(&'a mut self, window: &'a Window) -> Builder<'a> {
        Builder { window, parse: self, literals_length: 0, count: 0 }
    }
}

/// Its counters are its own while it works, so that they stay in registers.
pub struct Builder<'a> {
    window: &'a Window,
    parse: &'a mut Parse,
    literals_length: usize,
    count: usize,
}

impl Builder<'_> {
    /// Literals from one place to another, then a match.
    #[inline(always)]
    pub fn push(&mut self, from: usize, to: usize, length: usize, offset_value: u32) {
        self.copy(from, to);
        let sequence =
            (to - from) as u64 | ((length - MATCH_BYTES_MIN as usize) as u64) << 18 | u64::from(offset_value) << 36;
        self.parse.sequences[self.count % SEQUENCES_MAX] = Sequence(sequence);
        self.count += 1;
    }

    /// The literals after the last match.
    pub fn end(mut self, from: usize, to: usize) {
        self.copy(from, to);
        (self.parse.literals_length, self.parse.count) = (self.literals_length, self.count);
    }

    #[inline(always)]
    fn copy(&mut self, from: usize, to: usize) {
        let count = to - from;
        self.copy_16(from, 0);
        if count > 16 {
            let mut done = 16;
            while done < count {
                self.copy_16(from, done);
                done += 16;
            }
        }
        self.literals_length += count;
    }

    #[inline(always)]
    fn copy_16(&mut self, from: usize, done: usize) {
        let at = (self.literals_length + done) % BLOCK_BYTES_MAX;
        self.parse.literals[at..at + 16].copy_from_slice(vector(self.window, from + done));
    }
}
