//! Encoding of one frame (3.1.1): a single segment with its content size, no checksum, no dictionary.
//!
//! Invariant: what is written is a whole frame shorter than its source, or nothing.

mod bits;
mod fse;
mod huffman;
mod literals;
mod matches;
mod parse;
mod sequences;
mod window;

use crate::boxed::boxed;
use crate::format::{BLOCK_BYTES_MAX, BLOCK_COMPRESSED, BLOCK_RAW, BLOCK_RLE, FRAME_BYTES_MAX, MAGIC};
use bits::{SPACE, Space};
use literals::LiteralsEncoder;
use matches::MatchFinder;
use parse::Parse;
use sequences::SequencesEncoder;
use window::Window;

const BLOCK_HEAD_BYTES: usize = 3;

pub struct Encoder {
    window: Box<Window>,
    matches: MatchFinder,
    parse: Parse,
    literals: LiteralsEncoder,
    sequences: SequencesEncoder,
    space: Box<Space>,
}

impl Default for Encoder {
    fn default() -> Self {
        Self {
            window: boxed(0),
            matches: MatchFinder::default(),
            parse: Parse::default(),
            literals: LiteralsEncoder::default(),
            sequences: SequencesEncoder::default(),
            space: boxed(0),
        }
    }
}

impl Encoder {
    pub fn new() -> Self {
        Self::default()
    }

    /// Compresses into the front of `target`; returns the length, or 0 when that would not be less than the source's
    /// or than what `target` holds, or when the source is over 16 MiB.
    pub fn compress(&mut self, source: &[u8], target: &mut [u8]) -> usize {
        if source.len() > FRAME_BYTES_MAX {
            return 0;
        }
        let room = target.len().min(source.len().saturating_sub(1));
        self.literals.forget();
        self.sequences.forget();
        self.window[..source.len()].copy_from_slice(source);
        let offsets = self.matches.begin();
        let length = self.frame(source, &mut target[..room], offsets);
        length.unwrap_or(0)
    }

    fn frame(&mut self, source: &[u8], target: &mut [u8], mut offsets: [u32; 2]) -> Option<usize> {
        let mut at = header(source.len(), target)?;
        let mut start = 0;
        while start < source.len() {
            let end = source.len().min(start + BLOCK_BYTES_MAX);
            let last = u32::from(end == source.len());
            let block = &source[start..end];
            let left = self.matches.find(&self.window, start, end, offsets, &mut self.parse);
            let length = self.body(block.len());
            let (kind, size, body) = match length {
                Some(length) if length < RLE_LOOK && block.iter().all(|&byte| byte == block[0]) => {
                    (BLOCK_RLE, block.len(), &block[..1])
                }
                Some(length) => {
                    offsets = left;
                    (BLOCK_COMPRESSED, length, &self.space[..length])
                }
                None => (BLOCK_RAW, block.len(), block),
            };
            if kind != BLOCK_COMPRESSED {
                // The decoder never sees the tables this block would have left.
                self.literals.forget();
                self.sequences.forget();
            }
            let head = last | kind << 1 | (size as u32) << 3;
            target.get_mut(at..at + BLOCK_HEAD_BYTES)?.copy_from_slice(&head.to_le_bytes()[..BLOCK_HEAD_BYTES]);
            at += BLOCK_HEAD_BYTES;
            target.get_mut(at..at + body.len())?.copy_from_slice(body);
            at += body.len();
            start = end;
        }
        Some(at)
    }

    /// Encodes what the match finder left into `space`; returns the length, or none when raw is as good.
    fn body(&mut self, block_bytes: usize) -> Option<usize> {
        let parse = &self.parse;
        if parse.sequences().is_empty() && parse.literals().len() < 64 {
            return None;
        }
        let literals_end = self.literals.write(parse.literals(), &mut self.space, 0);
        if literals_end >= block_bytes {
            return None;
        }
        let end = self.sequences.write(parse, &mut self.space, literals_end);
        // Past `SPACE` the writers have begun to write over the front.
        (end < block_bytes - block_bytes / 256 && end <= SPACE).then_some(end)
    }
}

/// Blocks that come out shorter may be of one byte.
const RLE_LOOK: usize = 32;

/// Frame_Header (3.1.1.1); returns its length.
fn header(content: usize, target: &mut [u8]) -> Option<usize> {
    const SINGLE_SEGMENT: u8 = 0x20;
    let (flag, bytes, value) = match content {
        0..256 => (0, 1, content),
        256..65792 => (1, 2, content - 256),
        _ => (2, 4, content),
    };
    let target = target.get_mut(..5 + bytes)?;
    target[..4].copy_from_slice(&MAGIC);
    target[4] = flag << 6 | SINGLE_SEGMENT;
    target[5..].copy_from_slice(&(value as u32).to_le_bytes()[..bytes]);
    Some(5 + bytes)
}
