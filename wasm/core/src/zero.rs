//! Is a chunk all zero? Most of an image's chunks are not, and say so within their first bytes.

/// Bytes looked at between two exits: long enough that the loop is all loads, short enough that a chunk with data
/// costs nothing.
const STRIDE_BYTES: usize = 256;

pub fn is_zero(bytes: &[u8]) -> bool {
    let (strides, rest) = bytes.as_chunks::<STRIDE_BYTES>();
    rest.iter().all(|&byte| byte == 0) && strides.iter().all(stride_is_zero)
}

/// Reads of 8 bytes joined by OR: the compiler makes vectors of them on every target.
fn stride_is_zero(stride: &[u8; STRIDE_BYTES]) -> bool {
    let (words, _) = stride.as_chunks::<8>();
    words.iter().fold(0, |joined, word| joined | u64::from_ne_bytes(*word)) == 0
}
