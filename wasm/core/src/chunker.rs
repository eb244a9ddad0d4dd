//! Where a segment is cut into chunks. Each segment is cut on its own, so a worker needs nothing but its segment.

use crate::fastcdc::FastCdc;
use crate::fingerprint::Key;

/// No chunk is longer: a reader may bound its buffers by this.
pub const CHUNK_BYTES_MAX: u32 = 4 << 20;
const FIXED_BYTES_MIN: u32 = 512;
const FASTCDC_BYTES_MIN: u32 = 64;

pub enum Chunker {
    Fixed { size: usize },
    FastCdc(FastCdc),
}

impl Chunker {
    /// Every `size` bytes: right for block devices, where content stays where it was written. `None` when out of bounds.
    pub fn fixed(size: u32) -> Option<Self> {
        (FIXED_BYTES_MIN..=CHUNK_BYTES_MAX).contains(&size).then_some(Self::Fixed { size: size as usize })
    }

    /// Cuts where the content says so: finds what moved. `None` when the sizes are out of bounds or out of order.
    pub fn fastcdc(min: u32, average: u32, max: u32, key: &Key) -> Option<Self> {
        let ordered = FASTCDC_BYTES_MIN <= min && min <= average && average <= max && max <= CHUNK_BYTES_MAX;
        ordered.then(|| Self::FastCdc(FastCdc::new(min as usize, average as usize, max as usize, key)))
    }

    /// Length of the first chunk of `rest`, which is what is left of a segment: 1..=rest.len(), or 0 when it is empty.
    pub fn cut(&self, rest: &[u8]) -> usize {
        match self {
            Self::Fixed { size } => rest.len().min(*size),
            Self::FastCdc(fastcdc) => fastcdc.cut(rest),
        }
    }
}
