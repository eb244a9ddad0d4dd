//! Fingerprint → place of every chunk in a repository, at most 40 bytes a chunk: 28 for its entry, 5.4 to 10.7 for its
//! slot, and 8 for each frame, which holds several chunks.
//!
//! Entries lie in the order of frames and frames in the order of packs, so that an entry's number leads to its frame, and
//! that to its pack, by binary search; offsets inside are sums of the lengths before.

use crate::OutOfMemory;
use crate::codec::Codec;
use crate::fingerprint::{FINGERPRINT_BYTES, Fingerprint};
use crate::growing::Growing;
use crate::index_block::{Damaged, Frame, PACK_ID_BYTES, Totals, Visitor, walk};
use crate::slots::{Found, Slots};

/// 192 bits of a keyed hash: no two chunks will share them, and a restore compares all 256 with the data.
const PREFIX_BYTES: usize = 24;
/// Entry numbers share a word with a codec's two bits. As many entries would take 28 GiB.
const ENTRIES_MAX: usize = 1 << 30;

/// Where a chunk lies; the fields of `ChunkPlace` in src/contract/core.ts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChunkPlace {
    pub pack: u32,
    pub frame: u32,
    pub frame_offset: u32,
    pub frame_stored_bytes: u32,
    pub frame_plain_bytes: u32,
    pub codec: Codec,
    pub chunk_offset: u32,
    pub chunk_bytes: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LoadError {
    Damaged(Damaged),
    OutOfMemory,
}

struct Entry {
    prefix: [u8; PREFIX_BYTES],
    bytes: u32,
}

struct FrameEntry {
    /// Number of its first entry; the codec in the top two bits.
    first_entry_and_codec: u32,
    offset: u32,
}

struct PackEntry {
    id: [u8; PACK_ID_BYTES],
    bytes: u32,
    first_frame: u32,
    /// Where its last frame ends.
    frames_end: u32,
}

pub struct ChunkIndex {
    slots: Slots,
    entries: Growing<Entry>,
    frames: Growing<FrameEntry>,
    packs: Growing<PackEntry>,
}

impl Default for ChunkIndex {
    fn default() -> Self {
        Self { slots: Slots::default(), entries: Growing::new(), frames: Growing::new(), packs: Growing::new() }
    }
}

impl ChunkIndex {
    /// Distinct chunks held.
    pub fn size(&self) -> usize {
        self.slots.used()
    }

    pub fn memory_bytes(&self) -> usize {
        self.slots.memory_bytes() + self.entries.memory_bytes() + self.frames.memory_bytes() + self.packs.memory_bytes()
    }

    pub fn packs(&self) -> usize {
        self.packs.len()
    }

    /// Id and length of a pack.
    pub fn pack(&self, number: usize) -> Option<(&[u8; PACK_ID_BYTES], u32)> {
        (number < self.packs.len()).then(|| self.packs.get(number)).map(|pack| (&pack.id, pack.bytes))
    }

    /// Adds a block, or nothing when it is damaged or memory is out. Returns how many packs it names.
    pub fn load(&mut self, block: &[u8]) -> Result<usize, LoadError> {
        let mut totals = Totals::default();
        walk(block, &mut totals).map_err(LoadError::Damaged)?;
        self.reserve(totals).map_err(|OutOfMemory| LoadError::OutOfMemory)?;
        walk(block, self).map_err(LoadError::Damaged)?;
        Ok(totals.packs)
    }

    pub fn has(&self, fingerprint: &Fingerprint) -> bool {
        matches!(self.look_up(prefix_of(fingerprint)), Found::Entry(_))
    }

    pub fn find(&self, fingerprint: &Fingerprint) -> Option<ChunkPlace> {
        match self.look_up(prefix_of(fingerprint)) {
            Found::Entry(entry) => Some(self.place(entry)),
            Found::Vacancy(_) => None,
        }
    }

    fn look_up(&self, prefix: &[u8; PREFIX_BYTES]) -> Found {
        self.slots.find(hash_of(prefix), |entry| self.entries.get(entry as usize).prefix == *prefix)
    }

    fn place(&self, entry: u32) -> ChunkPlace {
        let frame_number = self.frames.partition_point(|frame| frame.first_entry() <= entry) as u32 - 1;
        let pack_number = self.packs.partition_point(|pack| pack.first_frame <= frame_number) as u32 - 1;
        let (frame, pack) = (self.frames.get(frame_number as usize), self.packs.get(pack_number as usize));
        let next = (frame_number + 1 < self.frames.len() as u32).then(|| self.frames.get(frame_number as usize + 1));
        // The next frame bounds this one's entries, and its bytes too unless another pack begins there.
        let entries_end = next.map_or(self.entries.len() as u32, FrameEntry::first_entry);
        let frame_end =
            next.map_or(pack.frames_end, |next| if next.offset > frame.offset { next.offset } else { pack.frames_end });
        let bytes_of = |range: std::ops::Range<u32>| range.map(|number| self.entries.get(number as usize).bytes).sum();
        ChunkPlace {
            pack: pack_number,
            frame: frame_number - pack.first_frame,
            frame_offset: frame.offset,
            frame_stored_bytes: frame_end - frame.offset,
            frame_plain_bytes: bytes_of(frame.first_entry()..entries_end),
            codec: frame.codec(),
            chunk_offset: bytes_of(frame.first_entry()..entry),
            chunk_bytes: self.entries.get(entry as usize).bytes,
        }
    }

    fn reserve(&mut self, more: Totals) -> Result<(), OutOfMemory> {
        let entries = self.entries.len() + more.chunks;
        if entries > ENTRIES_MAX {
            return Err(OutOfMemory);
        }
        self.entries.reserve(more.chunks)?;
        self.frames.reserve(more.frames)?;
        self.packs.reserve(more.packs)?;
        if !self.slots.fits(more.chunks, entries) {
            self.slots.rebuild(self.slots.used() + more.chunks, entries)?;
            for number in 0..self.entries.len() as u32 {
                self.enter(number);
            }
        }
        Ok(())
    }

    /// Gives an entry its slot, unless an earlier one has the same fingerprint: the first place stays.
    fn enter(&mut self, number: u32) {
        let prefix = &self.entries.get(number as usize).prefix;
        if let Found::Vacancy(vacancy) = self.look_up(prefix) {
            self.slots.take(vacancy, hash_of(prefix), number);
        }
    }
}

/// The second walk of `load`: the block is sound and room for all of it is reserved.
impl Visitor for ChunkIndex {
    fn pack(&mut self, id: &[u8; PACK_ID_BYTES], bytes: u32) {
        let first_frame = self.frames.len() as u32;
        self.packs.push(PackEntry { id: *id, bytes, first_frame, frames_end: 0 });
    }

    fn frame(&mut self, frame: Frame) {
        self.frames.push(FrameEntry::new(self.entries.len() as u32, &frame));
        if let Some(pack) = self.packs.last_mut() {
            pack.frames_end = frame.offset + frame.stored_bytes;
        }
    }

    fn chunk(&mut self, bytes: u32, fingerprint: &[u8; FINGERPRINT_BYTES]) {
        self.entries.push(Entry { prefix: *prefix_of(fingerprint), bytes });
        self.enter(self.entries.len() as u32 - 1);
    }
}

const CODEC_SHIFT: u32 = 30;

impl FrameEntry {
    fn new(first_entry: u32, frame: &Frame) -> Self {
        Self { first_entry_and_codec: first_entry | (frame.codec as u32) << CODEC_SHIFT, offset: frame.offset }
    }

    fn first_entry(&self) -> u32 {
        self.first_entry_and_codec & ((1 << CODEC_SHIFT) - 1)
    }

    fn codec(&self) -> Codec {
        Codec::from_number((self.first_entry_and_codec >> CODEC_SHIFT) as u8).unwrap_or(Codec::None)
    }
}

fn prefix_of(fingerprint: &Fingerprint) -> &[u8; PREFIX_BYTES] {
    fingerprint.first_chunk().expect("a fingerprint is longer than its prefix")
}

fn hash_of(prefix: &[u8; PREFIX_BYTES]) -> u64 {
    u64::from_le_bytes(*prefix.first_chunk().expect("a prefix is longer than a word"))
}
