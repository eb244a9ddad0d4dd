//! zlib streams (RFC 1950). What is written are parts of raw deflate: each starts with an empty window and ends at a byte
//! boundary, so that any number of encoders can share an object, and the bytes do not depend on how many do.

use super::{Decoded, Encoded, StreamError};
use zlib_rs::adler32::adler32;
use zlib_rs::{Deflate, DeflateFlush, Inflate, InflateError, InflateFlush, Status};

const LEVELS: std::ops::RangeInclusive<i32> = 0..=9;
/// The longest window zlib has, 32 KiB.
const WINDOW_BITS: u8 = 15;
/// The empty block that ends a part, and the rounding of short parts.
const FLUSH_BYTES: usize = 32;

pub struct Encoder(Deflate);

/// zlib-ng's bound of its fastest strategy, nine bits for a byte, which is above all the others.
pub fn bound(length: usize) -> usize {
    length + length.div_ceil(8) + length.div_ceil(64) + FLUSH_BYTES
}

impl Encoder {
    pub fn new(level: i32) -> Self {
        Self(Deflate::new(level.clamp(*LEVELS.start(), *LEVELS.end()), false, WINDOW_BITS))
    }

    pub fn encode(&mut self, source: &[u8], target: &mut [u8], last: bool) -> Result<Encoded, StreamError> {
        self.0.reset();
        let flush = if last { DeflateFlush::Finish } else { DeflateFlush::SyncFlush };
        let status = self.0.compress(source, target, flush).map_err(|_| StreamError::Misused)?;
        let length = self.0.total_out() as usize;
        // A flush is through when it leaves room; with none left, there may be more to come.
        let through = if last { status == Status::StreamEnd } else { length < target.len() };
        if !through || self.0.total_in() != source.len() as u64 {
            return Err(StreamError::Misused);
        }
        Ok(Encoded { length, adler32: adler32(1, source) })
    }
}

pub struct Decoder {
    inflate: Inflate,
    ended: bool,
}

impl Decoder {
    pub fn new() -> Self {
        Self { inflate: Inflate::new(true, WINDOW_BITS), ended: false }
    }

    /// What follows the stream is consumed and ignored, as Python's `zlib.decompress` does.
    pub fn decode(&mut self, source: &[u8], target: &mut [u8]) -> Result<Decoded, StreamError> {
        if self.ended {
            return Ok(Decoded { consumed: source.len(), produced: 0 });
        }
        let (read, written) = (self.inflate.total_in(), self.inflate.total_out());
        let status = self.inflate.decompress(source, target, InflateFlush::NoFlush).map_err(|error| match error {
            InflateError::MemError => StreamError::OutOfMemory,
            _ => StreamError::Damaged,
        })?;
        self.ended = status == Status::StreamEnd;
        let consumed = if self.ended { source.len() } else { (self.inflate.total_in() - read) as usize };
        Ok(Decoded { consumed, produced: (self.inflate.total_out() - written) as usize })
    }

    pub fn is_whole(&self) -> bool {
        self.ended
    }
}
