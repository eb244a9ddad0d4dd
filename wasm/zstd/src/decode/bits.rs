//! Bits of a description, read forwards from the lowest bit (4.1.1), and of a stream, read backwards from the last
//! byte's highest set bit (4.1). Both in words of 64 bits, so that one load serves many reads.

/// Forwards, for table descriptions: short, so simple.
pub struct Forward<'a> {
    source: &'a [u8],
    /// Bits read.
    at: usize,
}

impl<'a> Forward<'a> {
    pub fn new(source: &'a [u8]) -> Self {
        Self { source, at: 0 }
    }

    /// The next `count` bits, at most 16, without taking them; zeros past the end.
    pub fn peek(&self, count: u32) -> u32 {
        let byte = |index: usize| u32::from(self.source.get(self.at / 8 + index).copied().unwrap_or(0));
        ((byte(0) | byte(1) << 8 | byte(2) << 16) >> (self.at % 8)) & ((1 << count) - 1)
    }

    pub fn skip(&mut self, count: u32) {
        self.at += count as usize;
    }

    /// Whole bytes begun, if the source has as many.
    pub fn bytes(&self) -> Option<usize> {
        let bytes = self.at.div_ceil(8);
        (bytes <= self.source.len()).then_some(bytes)
    }
}

/// Backwards and careful: for streams that are short or the last bits of one. Zeros come past the start, and `left`
/// goes below zero to tell.
pub struct Backward<'a> {
    source: &'a [u8],
    /// Bits not yet read.
    left: isize,
}

impl<'a> Backward<'a> {
    /// None when there is no byte, or no end mark in the last.
    pub fn new(source: &'a [u8]) -> Option<Self> {
        Some(Self { source, left: bits_held(source)? as isize })
    }

    pub fn left(&self) -> isize {
        self.left
    }

    /// Starts where a faster reader stopped.
    pub fn from_bit(source: &'a [u8], left: isize) -> Self {
        Self { source, left }
    }

    /// The next `count` bits, at most 32, without taking them.
    #[inline(always)]
    pub fn peek(&self, count: u32) -> u32 {
        let from = self.left - count as isize;
        let word = if from >= 0 {
            self.word(from as usize / 8) >> (from % 8)
        } else if self.left > 0 {
            self.word(0) << -from & ((1 << count) - 1)
        } else {
            0
        };
        (word & ((1 << count) - 1)) as u32
    }

    #[inline(always)]
    pub fn skip(&mut self, count: u32) {
        self.left -= count as isize;
    }

    #[inline(always)]
    pub fn take(&mut self, count: u32) -> u32 {
        let bits = self.peek(count);
        self.skip(count);
        bits
    }

    fn word(&self, at: usize) -> u64 {
        let mut word = [0; 8];
        let held = &self.source[at.min(self.source.len())..self.source.len().min(at + 8)];
        word[..held.len()].copy_from_slice(held);
        u64::from_le_bytes(word)
    }
}

/// Bits below the end mark.
pub fn bits_held(source: &[u8]) -> Option<usize> {
    let last = *source.last()?;
    (last != 0).then(|| source.len() * 8 - 1 - last.leading_zeros() as usize)
}
