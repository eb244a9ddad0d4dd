//! Reads an index block (docs/format.md, "Index block"): what packs hold, chunk by chunk.
//!
//! Invariant: every count is checked against what is left of the block before it is believed, and the reader allocates
//! nothing. A caller that first walks a block with `Totals` knows that a second walk cannot fail.

use crate::codec::Codec;
use crate::fingerprint::FINGERPRINT_BYTES;

pub const PACK_ID_BYTES: usize = 16;
/// The first frame starts here, behind the pack's own header.
pub const PACK_HEADER_BYTES: u32 = 24;
pub const PACK_BYTES_MAX: u32 = i32::MAX as u32;
const PACKS_MAX: u32 = 65536;
const FRAMES_MAX: u32 = 65536;
const STORED_BYTES_MAX: u32 = 1 << 26;
const PLAIN_BYTES_MAX: u32 = 1 << 24;
const CHUNKS_MAX: u32 = 65535;

/// Where a block breaks its rules: the offset of the field that does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Damaged {
    pub offset: usize,
}

#[derive(Debug, Clone, Copy)]
pub struct Frame {
    /// Where it starts in its pack.
    pub offset: u32,
    pub stored_bytes: u32,
    pub plain_bytes: u32,
    pub codec: Codec,
}

/// Takes what a block holds, in its order: a pack, its frames, each followed by its chunks.
pub trait Visitor {
    fn pack(&mut self, id: &[u8; PACK_ID_BYTES], bytes: u32);
    fn frame(&mut self, frame: Frame);
    fn chunk(&mut self, bytes: u32, fingerprint: &[u8; FINGERPRINT_BYTES]);
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Totals {
    pub packs: usize,
    pub frames: usize,
    pub chunks: usize,
}

impl Visitor for Totals {
    fn pack(&mut self, _: &[u8; PACK_ID_BYTES], _: u32) {
        self.packs += 1;
    }
    fn frame(&mut self, _: Frame) {
        self.frames += 1;
    }
    fn chunk(&mut self, _: u32, _: &[u8; FINGERPRINT_BYTES]) {
        self.chunks += 1;
    }
}

pub fn walk(block: &[u8], visitor: &mut impl Visitor) -> Result<(), Damaged> {
    let mut cursor = Cursor { block, offset: 0 };
    for _ in 0..cursor.u32_within(1, PACKS_MAX)? {
        walk_pack(&mut cursor, visitor)?;
    }
    if cursor.offset == block.len() { Ok(()) } else { Err(Damaged { offset: cursor.offset }) }
}

fn walk_pack(cursor: &mut Cursor, visitor: &mut impl Visitor) -> Result<(), Damaged> {
    let id = cursor.take::<PACK_ID_BYTES>()?;
    let pack_bytes = cursor.u32_within(PACK_HEADER_BYTES, PACK_BYTES_MAX)?;
    visitor.pack(id, pack_bytes);
    let mut offset = PACK_HEADER_BYTES;
    for _ in 0..cursor.u32_within(1, FRAMES_MAX)? {
        let stored_bytes = cursor.u32_within(1, STORED_BYTES_MAX.min(pack_bytes - offset))?;
        let plain_bytes = cursor.u32_within(1, PLAIN_BYTES_MAX)?;
        let codec = cursor.codec()?;
        visitor.frame(Frame { offset, stored_bytes, plain_bytes, codec });
        walk_chunks(cursor, plain_bytes, visitor)?;
        offset += stored_bytes;
    }
    Ok(())
}

fn walk_chunks(cursor: &mut Cursor, plain_bytes: u32, visitor: &mut impl Visitor) -> Result<(), Damaged> {
    let count_offset = cursor.offset;
    let count = u32::from(u16::from_le_bytes(*cursor.take()?));
    if !(1..=CHUNKS_MAX).contains(&count) {
        return Err(Damaged { offset: count_offset });
    }
    let mut left = plain_bytes;
    for number in 1..=count {
        // The last chunk is exactly what is left; each before it leaves a byte for each one to come.
        let least = if number == count { left } else { 1 };
        let bytes = cursor.u32_within(least, left.saturating_sub(count - number))?;
        visitor.chunk(bytes, cursor.take()?);
        left -= bytes;
    }
    Ok(())
}

struct Cursor<'block> {
    block: &'block [u8],
    offset: usize,
}

impl<'block> Cursor<'block> {
    fn take<const BYTES: usize>(&mut self) -> Result<&'block [u8; BYTES], Damaged> {
        let taken = self.block[self.offset..].first_chunk().ok_or(Damaged { offset: self.offset })?;
        self.offset += BYTES;
        Ok(taken)
    }

    fn u32_within(&mut self, least: u32, most: u32) -> Result<u32, Damaged> {
        let offset = self.offset;
        let value = u32::from_le_bytes(*self.take()?);
        if least <= value && value <= most { Ok(value) } else { Err(Damaged { offset }) }
    }

    fn codec(&mut self) -> Result<Codec, Damaged> {
        let offset = self.offset;
        let [number, padding] = *self.take()?;
        if padding != 0 {
            return Err(Damaged { offset: offset + 1 });
        }
        Codec::from_number(number).ok_or(Damaged { offset })
    }
}
