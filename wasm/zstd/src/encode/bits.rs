//! A stream of bits, lowest first, that its reader takes backwards (4.1): whole words of 64 bits are stored, and the
//! bytes that are not full yet are stored again with the next.

/// Bytes of a block under construction: a power of two, so that positions are masked instead of checked. Whoever writes
/// more has written over the beginning, and must throw the block away.
pub const SPACE: usize = 1 << 18;
pub type Space = [u8; SPACE + 8];

pub struct BitWriter<'a> {
    space: &'a mut Space,
    at: usize,
    word: u64,
    held: u32,
}

impl<'a> BitWriter<'a> {
    #[inline(always)]
    pub fn new(space: &'a mut Space, at: usize) -> Self {
        Self { space, at, word: 0, held: 0 }
    }

    /// `bits` has nothing above `count`. At most 63 - 7 bits between two calls of `flush`.
    #[inline(always)]
    pub fn add(&mut self, bits: u64, count: u32) {
        self.word |= bits << (self.held % 64);
        self.held += count;
    }

    /// Flushes if `count` more bits would not fit.
    #[inline(always)]
    pub fn make_room(&mut self, count: u32) {
        if self.held + count > 63 {
            self.flush();
        }
    }

    /// Leaves at most 7 bits.
    #[inline(always)]
    pub fn flush(&mut self) {
        let at = self.at % SPACE;
        self.space[at..at + 8].copy_from_slice(&self.word.to_le_bytes());
        self.at += (self.held / 8) as usize;
        self.word >>= self.held & 56;
        self.held %= 8;
    }

    /// Ends a description, which has no mark but whole bytes.
    pub fn end(mut self) -> usize {
        self.flush();
        self.at + usize::from(self.held > 0)
    }

    /// Ends with the mark; returns where the stream ends.
    pub fn finish(mut self) -> usize {
        self.add(1, 1);
        self.flush();
        self.at + usize::from(self.held > 0)
    }
}
