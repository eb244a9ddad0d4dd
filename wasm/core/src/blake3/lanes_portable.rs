//! `Lanes` by the `wide` crate, on every machine that is not WASM: native tests and figures. Arrays would be scalar code,
//! three times slower.

use super::{LANES, Word};
use wide::u32x4;

#[derive(Clone, Copy)]
pub struct Lanes(u32x4);

impl Word for Lanes {
    #[inline(always)]
    fn splat(value: u32) -> Self {
        Self(u32x4::splat(value))
    }
    #[inline(always)]
    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
    #[inline(always)]
    fn xor(self, other: Self) -> Self {
        Self(self.0 ^ other.0)
    }
    #[inline(always)]
    fn rotate<const BITS: u32>(self) -> Self {
        Self(self.0 >> BITS | self.0 << (32 - BITS))
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
    #[inline(always)]
    pub fn from_array(words: [u32; LANES]) -> Self {
        Self(u32x4::new(words))
    }

    #[inline(always)]
    pub fn load(bytes: &[u8; 16]) -> Self {
        let words = bytes.as_chunks().0;
        Self(u32x4::new(std::array::from_fn(|lane| u32::from_le_bytes(words[lane]))))
    }

    #[inline(always)]
    pub fn store(self) -> [u8; 16] {
        let mut bytes = [0; 16];
        for (place, word) in bytes.as_chunks_mut().0.iter_mut().zip(self.0.to_array()) {
            *place = word.to_le_bytes();
        }
        bytes
    }

    /// Row r, column c becomes row c, column r.
    #[inline(always)]
    pub fn transpose(rows: [Self; LANES]) -> [Self; LANES] {
        let rows = rows.map(|row| row.0.to_array());
        std::array::from_fn(|column| Self(u32x4::new(std::array::from_fn(|row| rows[row][column]))))
    }
}
