//! `Words` and `Sums` as arrays: for the native tests, and for compilers that find the vectors themselves.

#[derive(Clone, Copy)]
pub struct Words([u32; 4]);

impl Words {
    pub fn load(bytes: &[u8; 16]) -> Self {
        let words = bytes.as_chunks().0;
        Self(std::array::from_fn(|word| u32::from_le_bytes(words[word])))
    }

    #[inline(always)]
    pub fn plus(self, other: Self) -> Self {
        Self(std::array::from_fn(|word| self.0[word].wrapping_add(other.0[word])))
    }
}

#[derive(Clone, Copy)]
pub struct Sums([u64; 4]);

impl Sums {
    pub fn zero() -> Self {
        Self([0; 4])
    }

    /// Adds the four products of words at one place.
    #[inline(always)]
    pub fn add_products(self, left: Words, right: Words) -> Self {
        Self(std::array::from_fn(|word| self.0[word].wrapping_add(left.0[word] as u64 * right.0[word] as u64)))
    }

    pub fn total(self) -> u64 {
        self.0.iter().fold(0, |total: u64, sum| total.wrapping_add(*sum))
    }
}
