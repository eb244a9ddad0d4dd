//! `Lanes` as a `v128`.

use super::{LANES, Word};
use core::arch::wasm32::{
    i8x16_shuffle, i16x8_shuffle, i32x4_add, i32x4_shuffle, i64x2_shuffle, u32x4, u32x4_shl, u32x4_shr, u32x4_splat,
    v128, v128_or, v128_xor,
};

#[derive(Clone, Copy)]
pub struct Lanes(v128);

impl Word for Lanes {
    #[inline(always)]
    fn splat(value: u32) -> Self {
        Self(u32x4_splat(value))
    }
    #[inline(always)]
    fn add(self, other: Self) -> Self {
        Self(i32x4_add(self.0, other.0))
    }
    #[inline(always)]
    fn xor(self, other: Self) -> Self {
        Self(v128_xor(self.0, other.0))
    }
    #[inline(always)]
    fn rotate<const BITS: u32>(self) -> Self {
        Self(v128_or(u32x4_shr(self.0, BITS), u32x4_shl(self.0, 32 - BITS)))
    }
    // Shuffles are one instruction where shifts are three.
    #[inline(always)]
    fn rotate_16(self) -> Self {
        Self(i16x8_shuffle::<1, 0, 3, 2, 5, 4, 7, 6>(self.0, self.0))
    }
    #[inline(always)]
    fn rotate_8(self) -> Self {
        Self(i8x16_shuffle::<1, 2, 3, 0, 5, 6, 7, 4, 9, 10, 11, 8, 13, 14, 15, 12>(self.0, self.0))
    }
}

impl Lanes {
    #[inline(always)]
    pub fn from_array([a, b, c, d]: [u32; LANES]) -> Self {
        Self(u32x4(a, b, c, d))
    }

    /// A single unaligned load; the intrinsic for it is unsafe, and numbers joined to a vector stay four loads.
    #[inline(always)]
    pub fn load(bytes: &[u8; 16]) -> Self {
        Self(bytemuck::pod_read_unaligned(bytes))
    }

    #[inline(always)]
    pub fn store(self) -> [u8; 16] {
        bytemuck::cast(self.0)
    }

    /// Row r, column c becomes row c, column r.
    #[inline(always)]
    pub fn transpose([r0, r1, r2, r3]: [Self; LANES]) -> [Self; LANES] {
        let (low01, high01) = (i32x4_shuffle::<0, 4, 1, 5>(r0.0, r1.0), i32x4_shuffle::<2, 6, 3, 7>(r0.0, r1.0));
        let (low23, high23) = (i32x4_shuffle::<0, 4, 1, 5>(r2.0, r3.0), i32x4_shuffle::<2, 6, 3, 7>(r2.0, r3.0));
        [
            Self(i64x2_shuffle::<0, 2>(low01, low23)),
            Self(i64x2_shuffle::<1, 3>(low01, low23)),
            Self(i64x2_shuffle::<0, 2>(high01, high23)),
            Self(i64x2_shuffle::<1, 3>(high01, high23)),
        ]
    }
}
