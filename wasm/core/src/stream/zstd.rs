//! zstd (RFC 8878): one frame for an object, its length in the header, without a checksum, as Cinder's is.

use super::{Decoded, Encoded, StreamError};
use zstd_safe::zstd_sys::{ZSTD_EndDirective, ZSTD_ErrorCode};
use zstd_safe::{CCtx, CParameter, DCtx, ErrorCode, InBuffer, OutBuffer, get_frame_content_size, is_error_kind};

/// From level 20 on speed has long fallen below any network's, and memory passes 100 MiB.
const LEVELS: std::ops::RangeInclusive<i32> = -7..=19;
/// zstd-wide.h says why.
const CONTENT_BYTES_MAX: u64 = 64 << 30;
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
    /// What is still to come. The library believes a single part that ends its frame, whatever was announced.
    left_bytes: u64,
    ended: bool,
}

impl Encoder {
    pub fn new(level: i32, content_bytes: u64) -> Result<Self, StreamError> {
        if content_bytes > CONTENT_BYTES_MAX {
            return Err(StreamError::Misused);
        }
        let mut context = CCtx::try_create().ok_or(StreamError::OutOfMemory)?;
        let level = CParameter::CompressionLevel(level.clamp(*LEVELS.start(), *LEVELS.end()));
        context.set_parameter(level).map_err(misuse)?;
        context.set_pledged_src_size(Some(content_bytes)).map_err(misuse)?;
        Ok(Self { context, left_bytes: content_bytes, ended: false })
    }

    pub fn encode(&mut self, source: &[u8], target: &mut [u8], last: bool) -> Result<Encoded, StreamError> {
        let length = source.len() as u64;
        if self.ended || length > self.left_bytes || (last && length != self.left_bytes) {
            return Err(StreamError::Misused);
        }
        self.left_bytes -= length;
        let end = if last { ZSTD_EndDirective::ZSTD_e_end } else { ZSTD_EndDirective::ZSTD_e_continue };
        let (mut input, mut output) = (InBuffer::around(source), OutBuffer::around(target));
        loop {
            let waiting = self.context.compress_stream2(&mut output, &mut input, end).map_err(misuse)?;
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
    frame: Option<Frame>,
    frames: u64,
    /// The target was full: the library may hold output back.
    waiting: bool,
}

/// What a frame says of its length. The library compares it too, but not when the last block is empty.
#[derive(Default)]
struct Frame {
    start: Vec<u8>,
    produced: u64,
}

/// ZSTD_FRAMEHEADERSIZE_MAX
const HEADER_BYTES_MAX: usize = 18;

impl Frame {
    fn add(&mut self, consumed: &[u8], produced: usize) {
        let missing = HEADER_BYTES_MAX - self.start.len();
        self.start.extend_from_slice(&consumed[..missing.min(consumed.len())]);
        self.produced += produced as u64;
    }

    /// At its end: has it given what it said? Skippable frames say 0.
    fn is_whole(&self) -> bool {
        get_frame_content_size(&self.start).is_ok_and(|size| size.is_none_or(|size| size == self.produced))
    }
}

impl Decoder {
    pub fn new() -> Result<Self, StreamError> {
        let context = DCtx::try_create().ok_or(StreamError::OutOfMemory)?;
        Ok(Self { context, frame: None, frames: 0, waiting: false })
    }

    pub fn decode(&mut self, source: &[u8], target: &mut [u8]) -> Result<Decoded, StreamError> {
        let (mut input, mut output) = (InBuffer::around(source), OutBuffer::around(target));
        // Calls that can do nothing count as errors for the library after some times.
        while output.pos() < output.capacity() && (self.waiting || input.pos() < source.len()) {
            let (read, written) = (input.pos(), output.pos());
            let hint = self.context.decompress_stream(&mut output, &mut input).map_err(damage)?;
            let frame = self.frame.get_or_insert_default();
            frame.add(&source[read..input.pos()], output.pos() - written);
            if hint == 0 {
                if !frame.is_whole() {
                    return Err(StreamError::Damaged);
                }
                self.frame = None;
                self.frames += 1;
            }
            self.waiting = self.frame.is_some() && output.pos() == output.capacity();
        }
        Ok(Decoded { consumed: input.pos(), produced: output.pos() })
    }

    pub fn is_whole(&self) -> bool {
        self.frames > 0 && self.frame.is_none()
    }
}

fn error(code: ErrorCode, other: StreamError) -> StreamError {
    if is_error_kind(code, ZSTD_ErrorCode::ZSTD_error_memory_allocation) {
        StreamError::OutOfMemory
    } else if is_error_kind(code, ZSTD_ErrorCode::ZSTD_error_frameParameter_windowTooLarge) {
        StreamError::WindowTooLarge
    } else {
        other
    }
}

/// Of an encoder: whatever goes wrong is the caller's order of calls, or a length other than announced.
fn misuse(code: ErrorCode) -> StreamError {
    error(code, StreamError::Misused)
}

fn damage(code: ErrorCode) -> StreamError {
    error(code, StreamError::Damaged)
}
