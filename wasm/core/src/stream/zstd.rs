//! zstd (RFC 8878): one frame for an object, its length in the header, without a checksum, as Cinder's is.

use super::{Decoded, Encoded, StreamError};
use zstd_safe::zstd_sys::{ZSTD_EndDirective, ZSTD_ErrorCode};
use zstd_safe::{CCtx, CParameter, DCtx, ErrorCode, InBuffer, OutBuffer, is_error_kind};

/// From level 20 on speed has long fallen below any network's, and memory passes 100 MiB.
const LEVELS: std::ops::RangeInclusive<i32> = -7..=19;
/// Input that the library may hold back from one part to the next: a block.
const HELD_BYTES_MAX: usize = 128 << 10;
/// A frame's header, and the rounding of short parts.
const FRAME_BYTES: usize = 128;

/// ZSTD_compressBound (zstd.h) of a part and of what was held back.
pub fn bound(length: usize) -> usize {
    let most = length + HELD_BYTES_MAX;
    most + (most >> 8) + FRAME_BYTES
}

pub struct Encoder {
    context: CCtx<'static>,
    ended: bool,
}

impl Encoder {
    pub fn new(level: i32, content_bytes: u64) -> Result<Self, StreamError> {
        let mut context = CCtx::try_create().ok_or(StreamError::OutOfMemory)?;
        let level = CParameter::CompressionLevel(level.clamp(*LEVELS.start(), *LEVELS.end()));
        context.set_parameter(level).map_err(error)?;
        context.set_pledged_src_size(Some(content_bytes)).map_err(error)?;
        Ok(Self { context, ended: false })
    }

    pub fn encode(&mut self, source: &[u8], target: &mut [u8], last: bool) -> Result<Encoded, StreamError> {
        if self.ended {
            return Err(StreamError::Misused);
        }
        let end = if last { ZSTD_EndDirective::ZSTD_e_end } else { ZSTD_EndDirective::ZSTD_e_continue };
        let (mut input, mut output) = (InBuffer::around(source), OutBuffer::around(target));
        loop {
            let waiting = self.context.compress_stream2(&mut output, &mut input, end).map_err(error)?;
            if input.pos() == source.len() && (waiting == 0 || !last) {
                self.ended = last;
                return Ok(Encoded { length: output.pos(), adler32: 0 });
            }
            if output.pos() == output.capacity() {
                return Err(StreamError::Misused);
            }
        }
    }
}

/// The window may be 128 MiB, the library's own limit for streams.
pub struct Decoder {
    context: DCtx<'static>,
    frames: u64,
    inside: bool,
    /// The target was full: the library may hold output back.
    waiting: bool,
}

impl Decoder {
    pub fn new() -> Result<Self, StreamError> {
        let context = DCtx::try_create().ok_or(StreamError::OutOfMemory)?;
        Ok(Self { context, frames: 0, inside: false, waiting: false })
    }

    pub fn decode(&mut self, source: &[u8], target: &mut [u8]) -> Result<Decoded, StreamError> {
        let (mut input, mut output) = (InBuffer::around(source), OutBuffer::around(target));
        // Calls that can do nothing count as errors for the library after some times.
        while output.pos() < output.capacity() && (self.waiting || input.pos() < source.len()) {
            let hint = self.context.decompress_stream(&mut output, &mut input).map_err(error)?;
            self.inside = hint != 0;
            self.frames += u64::from(hint == 0);
            self.waiting = self.inside && output.pos() == output.capacity();
        }
        Ok(Decoded { consumed: input.pos(), produced: output.pos() })
    }

    pub fn is_whole(&self) -> bool {
        self.frames > 0 && !self.inside
    }
}

fn error(code: ErrorCode) -> StreamError {
    let is = |kind| is_error_kind(code, kind);
    if is(ZSTD_ErrorCode::ZSTD_error_memory_allocation) {
        StreamError::OutOfMemory
    } else if is(ZSTD_ErrorCode::ZSTD_error_srcSize_wrong) || is(ZSTD_ErrorCode::ZSTD_error_stage_wrong) {
        StreamError::Misused
    } else {
        StreamError::Damaged
    }
}
