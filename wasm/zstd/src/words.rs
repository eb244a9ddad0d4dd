//! Words and short runs of bytes at an offset: each compiles to one bounds check and one load or store.

#[inline(always)]
pub fn read_u32(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap())
}

#[inline(always)]
pub fn read_u64(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap())
}

/// A buffer on the heap that never passes through the stack.
pub fn boxed<T: Clone, const LENGTH: usize>(value: T) -> Box<[T; LENGTH]> {
    vec![value; LENGTH].into_boxed_slice().try_into().unwrap_or_else(|_| unreachable!())
}
