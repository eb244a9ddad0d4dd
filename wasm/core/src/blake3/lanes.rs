//! Four 32-bit words side by side: a `v128` on WASM, what the `wide` crate finds elsewhere.

use super::BLOCK_BYTES;
use super::Chaining;

pub const LANES: usize = 4;

/// What the rounds need of a word, which is one number or `Lanes` of them. Rotations are to the right.
pub trait Word: Copy {
    fn splat(value: u32) -> Self;
    fn add(self, other: Self) -> Self;
    fn xor(self, other: Self) -> Self;
    fn rotate<const BITS: u32>(self) -> Self;
    fn rotate_16(self) -> Self;
    fn rotate_8(self) -> Self;
}

impl Word for u32 {
    #[inline(always)]
    fn splat(value: u32) -> Self {
        value
    }
    #[inline(always)]
    fn add(self, other: Self) -> Self {
        self.wrapping_add(other)
    }
    #[inline(always)]
    fn xor(self, other: Self) -> Self {
        self ^ other
    }
    #[inline(always)]
    fn rotate<const BITS: u32>(self) -> Self {
        self.rotate_right(BITS)
    }
    #[inline(always)]
    fn rotate_16(self) -> Self {
        self.rotate_right(16)
    }
    #[inline(always)]
    fn rotate_8(self) -> Self {
        self.rotate_right(8)
    }
}

pub use vector::Lanes;

#[cfg(target_arch = "wasm32")]
#[path = "lanes_wasm.rs"]
mod vector;

#[cfg(not(target_arch = "wasm32"))]
#[path = "lanes_portable.rs"]
mod vector;

impl Lanes {
    /// Word `w` of the result holds word `w` of each block.
    #[inline(always)]
    pub fn read(blocks: [&[u8; BLOCK_BYTES]; LANES]) -> [Self; 16] {
        let mut words = [Self::splat(0); 16];
        for (quarter, four) in words.as_chunks_mut::<4>().0.iter_mut().enumerate() {
            *four = Self::transpose(blocks.map(|block| Self::load(&block.as_chunks().0[quarter])));
        }
        words
    }

    /// The other way for eight words: the chaining value of each lane.
    #[inline(always)]
    pub fn write(words: &[Self; 8]) -> [Chaining; LANES] {
        let [a, b, c, d, e, f, g, h] = *words;
        let (low, high) = (Self::transpose([a, b, c, d]), Self::transpose([e, f, g, h]));
        std::array::from_fn(|lane| {
            let mut chaining = [0; 32];
            chaining[..16].copy_from_slice(&low[lane].store());
            chaining[16..].copy_from_slice(&high[lane].store());
            chaining
        })
    }
}
