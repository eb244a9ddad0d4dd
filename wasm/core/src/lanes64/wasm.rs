//! `Words` and `Sums` as `v128`.

use core::arch::wasm32::{
    i32x4_add, i64x2_add, i64x2_splat, u64x2_extmul_high_u32x4, u64x2_extmul_low_u32x4, u64x2_extract_lane, v128,
};

#[derive(Clone, Copy)]
pub struct Words(v128);

impl Words {
    /// A single unaligned load; the intrinsic for it is unsafe.
    #[inline(always)]
    pub fn load(bytes: &[u8; 16]) -> Self {
        Self(bytemuck::pod_read_unaligned(bytes))
    }

    #[inline(always)]
    pub fn plus(self, other: Self) -> Self {
        Self(i32x4_add(self.0, other.0))
    }
}

#[derive(Clone, Copy)]
pub struct Sums(v128, v128);

impl Sums {
    #[inline(always)]
    pub fn zero() -> Self {
        Self(i64x2_splat(0), i64x2_splat(0))
    }

    /// Adds the four products of words at one place.
    #[inline(always)]
    pub fn add_products(self, left: Words, right: Words) -> Self {
        Self(
            i64x2_add(self.0, u64x2_extmul_low_u32x4(left.0, right.0)),
            i64x2_add(self.1, u64x2_extmul_high_u32x4(left.0, right.0)),
        )
    }

    #[inline(always)]
    pub fn total(self) -> u64 {
        let both = i64x2_add(self.0, self.1);
        u64x2_extract_lane::<0>(both).wrapping_add(u64x2_extract_lane::<1>(both))
    }
}
