//! An open-addressing hash table of entry numbers; the entries themselves lie elsewhere, dense and in order.
//!
//! A slot is 32 bits: 0 when empty, else number + 1 in the low bits and a tag, more of the entry's hash, above them. The
//! tag spares nearly every look at an entry that is not the right one, each of which would be a cache miss.
//! Hashes are words of a keyed hash, so they need no mixing: who does not know the key cannot make them collide.

use crate::OutOfMemory;

/// At three quarters full a miss looks at 8.5 slots (Knuth, TAOCP 3, 6.4), most of them in one cache line.
const LOAD_NUMERATOR: usize = 3;
const LOAD_DENOMINATOR: usize = 4;
const SLOTS_MIN: usize = 16;

#[derive(Default)]
pub struct Slots {
    table: Vec<u32>,
    used: usize,
    number_bits: u32,
}

pub enum Found {
    Entry(u32),
    /// Not there; the slot it would take.
    Vacancy(usize),
}

impl Slots {
    /// Slots taken: the distinct entries.
    pub fn used(&self) -> usize {
        self.used
    }

    pub fn memory_bytes(&self) -> usize {
        self.table.capacity() * size_of::<u32>()
    }

    /// True when the table can take `distinct` more, with numbers below `numbers`. If not, it is to be rebuilt.
    pub fn fits(&self, distinct: usize, numbers: usize) -> bool {
        let held = self.used + distinct;
        held * LOAD_DENOMINATOR <= self.table.len() * LOAD_NUMERATOR && bits_for(numbers) <= self.number_bits
    }

    /// Empties the table and makes it large enough for `distinct` entries with numbers below `numbers`; the entries know
    /// everything to fill it again. When memory is out, the old table stays as it was.
    pub fn rebuild(&mut self, distinct: usize, numbers: usize) -> Result<(), OutOfMemory> {
        let count = (distinct * LOAD_DENOMINATOR).div_ceil(LOAD_NUMERATOR).next_power_of_two().max(SLOTS_MIN);
        let mut table = Vec::new();
        table.try_reserve_exact(count).map_err(|_| OutOfMemory)?;
        table.resize(count, 0);
        *self = Self { table, used: 0, number_bits: bits_for(numbers.max(count)) };
        Ok(())
    }

    /// Looks for the entry with this hash for which `equal` holds.
    pub fn find(&self, hash: u64, mut equal: impl FnMut(u32) -> bool) -> Found {
        let Some(mask) = self.table.len().checked_sub(1) else { return Found::Vacancy(0) };
        let tag = self.tag(hash);
        let mut place = hash as usize & mask;
        loop {
            let slot = self.table[place];
            if slot == 0 {
                return Found::Vacancy(place);
            }
            let number = (slot & self.number_mask()) - 1;
            if slot & !self.number_mask() == tag && equal(number) {
                return Found::Entry(number);
            }
            place = (place + 1) & mask;
        }
    }

    /// Takes the vacancy that `find` has just answered for this hash.
    pub fn take(&mut self, vacancy: usize, hash: u64, number: u32) {
        self.table[vacancy] = self.tag(hash) | (number + 1);
        self.used += 1;
    }

    fn number_mask(&self) -> u32 {
        u32::MAX >> (32 - self.number_bits)
    }

    /// Bits of the hash that do not choose the first slot, in the place where a slot has its tag.
    fn tag(&self, hash: u64) -> u32 {
        (hash >> 32) as u32 & !self.number_mask()
    }
}

/// Bits that hold number + 1 for every number below `numbers`.
fn bits_for(numbers: usize) -> u32 {
    usize::BITS - numbers.leading_zeros()
}
