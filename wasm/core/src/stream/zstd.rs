//! zstd (RFC 8878), reading. Parts of a frame are written by the binding (wasm/binding/src/zstd_parts.rs).

use super::{Decoded, StreamError};
use zstd_safe::zstd_sys::ZSTD_ErrorCode;
use zstd_safe::{DCtx, ErrorCode, InBuffer, OutBuffer, get_frame_content_size, is_error_kind};

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

fn damage(code: ErrorCode) -> StreamError {
    if is_error_kind(code, ZSTD_ErrorCode::ZSTD_error_memory_allocation) {
        StreamError::OutOfMemory
    } else if is_error_kind(code, ZSTD_ErrorCode::ZSTD_error_frameParameter_windowTooLarge) {
        StreamError::WindowTooLarge
    } else {
        StreamError::Damaged
    }
}
