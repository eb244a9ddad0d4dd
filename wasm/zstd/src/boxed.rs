//! Tables too large for the stack.

/// A buffer on the heap that never passes through the stack.
pub fn boxed<T: Clone, const LENGTH: usize>(value: T) -> Box<[T; LENGTH]> {
    vec![value; LENGTH].into_boxed_slice().try_into().unwrap_or_else(|_| unreachable!())
}
