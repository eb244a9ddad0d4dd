//! Literals_Section (3.1.1.3.1): the bytes of a block that no match covers, decoded into one buffer.

use super::huffman::Table;
use crate::format::{BLOCK_BYTES_MAX, LITERALS_COMPRESSED, LITERALS_RAW, LITERALS_RLE};
use crate::words::boxed;

/// Bytes behind the literals that copies in steps of 16 may read.
const SLACK: usize = 32;
pub type Buffer = [u8; BLOCK_BYTES_MAX + SLACK];

pub struct Literals {
    buffer: Box<Buffer>,
    length: usize,
    table: Table,
    /// An earlier block of this frame left a table for Treeless_Literals_Block.
    table_known: bool,
}

impl Default for Literals {
    fn default() -> Self {
        Self { buffer: boxed(0), length: 0, table: Table::default(), table_known: false }
    }
}

impl Literals {
    /// A new frame begins.
    pub fn forget(&mut self) {
        self.table_known = false;
    }

    pub fn buffer(&self) -> &Buffer {
        &self.buffer
    }

    pub fn length(&self) -> usize {
        self.length
    }

    /// Decodes the section at the front of a block; returns what follows it.
    pub fn read<'a>(&mut self, block: &'a [u8]) -> Option<&'a [u8]> {
        let mut head = [0; 8];
        let held = block.len().min(5);
        head[..held].copy_from_slice(&block[..held]);
        let head = u64::from_le_bytes(head);
        let (kind, format) = ((head & 3) as u8, head >> 2 & 3);
        if kind == LITERALS_RAW || kind == LITERALS_RLE {
            let (head_bytes, length) = match format {
                0 | 2 => (1, head as usize >> 3 & 0x1F),
                1 => (2, head as usize >> 4 & 0xFFF),
                _ => (3, head as usize >> 4 & 0xF_FFFF),
            };
            let body = block.get(head_bytes..)?;
            self.length = length;
            let target = self.buffer[..BLOCK_BYTES_MAX].get_mut(..length)?;
            let held = if kind == LITERALS_RAW {
                target.copy_from_slice(body.get(..length)?);
                length
            } else {
                target.fill(*body.first()?);
                1
            };
            return Some(&body[held..]);
        }
        let (head_bytes, size_bits) = [(3, 10), (3, 10), (4, 14), (5, 18)][format as usize];
        let mask = (1 << size_bits) - 1;
        self.length = (head >> 4 & mask) as usize;
        let held = (head >> (4 + size_bits) & mask) as usize;
        let (mut streams, rest) = block.get(head_bytes..)?.split_at_checked(held)?;
        if kind == LITERALS_COMPRESSED {
            self.table_known = false;
            let described = self.table.read(streams)?;
            self.table_known = true;
            streams = &streams[described..];
        } else if !self.table_known {
            return None;
        }
        let target = self.buffer[..BLOCK_BYTES_MAX].get_mut(..self.length)?;
        if format == 0 {
            self.table.decode_one(streams, target)?;
        } else {
            self.table.decode_four(streams, target)?;
        }
        Some(rest)
    }
}
