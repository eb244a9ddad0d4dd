//! `Lanes` as an array: for the native tests, and for compilers that find the vectors themselves.

use super::{LANES, Word};

#[derive(Clone, Copy)]
pub struct Lanes([u32; LANES]);

impl Word for Lanes {
    #[inline(always)]
    fn splat(value: u32) -> Self {
        Self([value; LANES])
    }
    #[inline(always)]
    fn add(self, other: Self) -> Self {
        Self(std::array::from_fn(|lane| self.0[lane].wrapping_add(other.0[lane])))
    }
    #[inline(always)]
    fn xor(self, other: Self) -> Self {
        Self(std::array::from_fn(|lane| self.0[lane] ^ other.0[lane]))
    }
    #[inline(always)]
    fn rotate<const BITS: u32>(self) -> Self {
        Self(self.0.map(|word| word.rotate_right(BITS)))
    }
    #[inline(always)]
    fn rotate_16(self) -> Self {
        self.rotate::<16>()
    }
    #[inline(always)]
    fn rotate_8(self) -> Self {
        self.rotate::<8>()
    }
}

impl Lanes {
    pub fn from_array(words: [u32; LANES]) -> Self {
        Self(words)
    }

    pub fn load(bytes: &[u8; 16]) -> Self {
        let words = bytes.as_chunks().0;
        Self(std::array::from_fn(|lane| u32::from_le_bytes(words[lane])))
    }

    pub fn store(self) -> [u8; 16] {
        let mut bytes = [0; 16];
        for (place, word) in bytes.as_chunks_mut().0.iter_mut().zip(self.0) {
            *place = word.to_le_bytes();
        }
        bytes
    }

    /// Row r, column c becomes row c, column r.
    pub fn transpose(rows: [Self; LANES]) -> [Self; LANES] {
        std::array::from_fn(|column| Self(std::array::from_fn(|row| rows[row].0[column])))
    }
}
