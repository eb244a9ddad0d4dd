//! Decoding of one frame (3.1.1) whose length is known.
//!
//! Invariant: true means that exactly `target.len()` bytes came out of exactly the given bytes. Refused besides damage:
//! dictionaries, skippable frames, a second frame, windows over 8 MiB (a single segment's window is its content, whose
//! length the caller chose), a content size that is not the target's length. Offsets are held to the bytes that are
//! there, not to the window: all of them are in memory anyway. Frames over 16 MiB are refused too.

mod bits;
mod execute;
mod fse;
mod huffman;
mod literals;
mod sequences;

use crate::checksum::xxh64;
use crate::format::{
    BLOCK_BYTES_MAX, BLOCK_COMPRESSED, BLOCK_RAW, BLOCK_RLE, FRAME_BYTES_MAX, MAGIC, REPEATED_OFFSETS,
};
use execute::Output;
use literals::Literals;
use sequences::Sequences;

/// What RFC 8878 recommends every decoder to support (3.1.1.1.2), and all we accept.
const WINDOW_BYTES_MAX: u64 = 8 << 20;
const CHECKSUM_BYTES: usize = 4;

#[derive(Default)]
pub struct Decoder {
    literals: Literals,
    sequences: Sequences,
}

struct Header {
    bytes: usize,
    checksum: bool,
    block_bytes_max: usize,
}

impl Decoder {
    pub fn new() -> Self {
        Self::default()
    }

    /// True when exactly `target.len()` bytes came out of exactly `source`. When false, `target` holds anything.
    pub fn decompress(&mut self, source: &[u8], target: &mut [u8]) -> bool {
        self.frame(source, target).is_some()
    }

    fn frame(&mut self, source: &[u8], target: &mut [u8]) -> Option<()> {
        if target.len() > FRAME_BYTES_MAX {
            return None;
        }
        let header = header(source, target.len() as u64)?;
        let mut rest = source.get(header.bytes..)?;
        let mut at = 0;
        self.literals.forget();
        self.sequences.forget();
        let mut offsets = REPEATED_OFFSETS;
        loop {
            let (head, after) = rest.split_at_checked(3)?;
            let head = u32::from_le_bytes([head[0], head[1], head[2], 0]);
            let (last, kind, size) = (head & 1 != 0, head >> 1 & 3, (head >> 3) as usize);
            let held = if kind == BLOCK_RLE { 1 } else { size };
            if size > header.block_bytes_max || held > after.len() {
                return None;
            }
            let (body, after) = after.split_at(held);
            rest = after;
            match kind {
                BLOCK_RAW => {
                    target.get_mut(at..at + size)?.copy_from_slice(body);
                    at += size;
                }
                BLOCK_RLE => {
                    target.get_mut(at..at + size)?.fill(body[0]);
                    at += size;
                }
                BLOCK_COMPRESSED => {
                    let sequences = self.literals.read(body)?;
                    let limit = target.len().min(at + header.block_bytes_max);
                    let output = Output::new(&mut target[..limit], at, &self.literals);
                    at = self.sequences.read(sequences, &mut offsets, output)?;
                }
                _ => return None,
            }
            if last {
                break;
            }
        }
        if at != target.len() {
            return None;
        }
        if !header.checksum {
            return rest.is_empty().then_some(());
        }
        (rest.len() == CHECKSUM_BYTES && rest == &xxh64(target).to_le_bytes()[..CHECKSUM_BYTES]).then_some(())
    }
}

/// Frame_Header (3.1.1.1).
fn header(source: &[u8], expected: u64) -> Option<Header> {
    let (&descriptor, rest) = source.strip_prefix(&MAGIC)?.split_first()?;
    let (size_flag, single_segment, checksum) = (descriptor >> 6, descriptor & 0x20 != 0, descriptor & 0x04 != 0);
    let (reserved, dictionary) = (descriptor & 0x08 != 0, descriptor & 0x03 != 0);
    if reserved || dictionary {
        return None;
    }
    let (window, rest) = if single_segment {
        (expected, rest)
    } else {
        let (&window, rest) = rest.split_first()?;
        let base = 1u64 << (10 + (window >> 3));
        let window_bytes = base + base / 8 * u64::from(window & 7);
        if window_bytes > WINDOW_BYTES_MAX {
            return None;
        }
        (window_bytes, rest)
    };
    let (size_bytes, bias) = match (size_flag, single_segment) {
        (0, false) => (0, 0),
        (0, true) => (1, 0),
        (1, _) => (2, 256),
        (2, _) => (4, 0),
        _ => (8, 0),
    };
    if size_bytes > 0 {
        let mut size = [0; 8];
        size[..size_bytes].copy_from_slice(rest.get(..size_bytes)?);
        if u64::from_le_bytes(size).checked_add(bias) != Some(expected) {
            return None;
        }
    }
    let bytes = source.len() - rest.len() + size_bytes;
    Some(Header { bytes, checksum, block_bytes_max: window.min(BLOCK_BYTES_MAX as u64) as usize })
}
