//! Index blocks as lists of packs, and frames opened by what they say.

use crate::seal::{DIRECTORY_NUMBER, HEADER_BYTES, Opener, SEAL_BYTES, pack_name};
use crate::types::{Chunk, Frame, Pack, Problem};
use crate::{INDEX_BYTES_MAX, core_codec, wit_codec};
use blockvault_core::codec::Codecs;
use blockvault_core::fingerprint::fingerprint;
use blockvault_core::index_block::{self, Totals, Visitor};

pub const TRAILER_BYTES: usize = 8;
const TRAILER_MAGIC: &[u8; 4] = b"BVPE";
const PLAIN_BYTES_MAX: u32 = 1 << 24;

struct Packs(Vec<Pack>);

impl Visitor for Packs {
    fn pack(&mut self, id: &[u8; 16], bytes: u32) {
        self.0.push(Pack { name: pack_name(id), length: bytes, frames: Vec::new() });
    }

    fn frame(&mut self, frame: index_block::Frame) {
        let Some(pack) = self.0.last_mut() else { return };
        pack.frames.push(Frame {
            number: pack.frames.len() as u32,
            offset: frame.offset,
            stored_bytes: frame.stored_bytes,
            plain_bytes: frame.plain_bytes,
            codec: wit_codec(frame.codec),
            chunks: Vec::new(),
        });
    }

    fn chunk(&mut self, bytes: u32, fingerprint: &[u8; 32]) {
        let Some(frame) = self.0.last_mut().and_then(|pack| pack.frames.last_mut()) else { return };
        let offset = frame.chunks.last().map_or(0, |last| last.offset + last.length);
        frame.chunks.push(Chunk { offset, length: bytes, fingerprint: fingerprint.to_vec() });
    }
}

/// Walked twice: what breaks a rule at its end is nowhere believed.
pub fn packs(block: &[u8]) -> Result<Vec<Pack>, Problem> {
    index_block::walk(block, &mut Totals::default()).map_err(|_| Problem::Malformed)?;
    let mut packs = Packs(Vec::new());
    index_block::walk(block, &mut packs).map_err(|_| Problem::Malformed)?;
    Ok(packs.0)
}

/// Offset and length of the sealed directory.
pub fn directory_place(trailer: &[u8], pack_length: u32) -> Result<(u32, u32), Problem> {
    let (length, magic) = trailer.split_first_chunk::<4>().ok_or(Problem::NotAnObject)?;
    if magic != TRAILER_MAGIC {
        return Err(Problem::NotAnObject);
    }
    let length = u32::from_le_bytes(*length);
    let offset = pack_length.checked_sub(TRAILER_BYTES as u32).and_then(|end| end.checked_sub(length));
    match offset {
        Some(offset)
            if offset >= HEADER_BYTES as u32 && length >= SEAL_BYTES as u32 && length as usize <= INDEX_BYTES_MAX =>
        {
            Ok((offset, length))
        }
        _ => Err(Problem::Malformed),
    }
}

pub fn directory(opener: &Opener, name: &str, sealed: &[u8], pack_length: u32) -> Result<Pack, Problem> {
    if sealed.len() > INDEX_BYTES_MAX {
        return Err(Problem::Malformed);
    }
    let mut packs = packs(&opener.open(DIRECTORY_NUMBER, sealed)?)?;
    match packs.pop() {
        Some(pack) if packs.is_empty() && pack.name == name && pack.length == pack_length => Ok(pack),
        _ => Err(Problem::Malformed),
    }
}

/// The plaintext, once every chunk has its fingerprint.
pub fn open_frame(
    opener: &Opener,
    frame: &Frame,
    sealed: &[u8],
    key: &[u8; 32],
    codecs: &mut Codecs,
) -> Result<Vec<u8>, Problem> {
    if sealed.len() != frame.stored_bytes as usize || !(1..=PLAIN_BYTES_MAX).contains(&frame.plain_bytes) {
        return Err(Problem::Malformed);
    }
    let body = opener.open(frame.number, sealed)?;
    let mut plaintext = Vec::new();
    plaintext.try_reserve_exact(frame.plain_bytes as usize).map_err(|_| Problem::Memory)?;
    plaintext.resize(frame.plain_bytes as usize, 0);
    if !codecs.decompress(core_codec(frame.codec), &body, &mut plaintext) {
        return Err(Problem::Codec);
    }
    let mut end = 0;
    for chunk in &frame.chunks {
        let from = chunk.offset as usize;
        let bytes =
            from.checked_add(chunk.length as usize).and_then(|to| plaintext.get(from..to)).ok_or(Problem::Malformed)?;
        if from != end {
            return Err(Problem::Malformed);
        }
        end += bytes.len();
        if fingerprint(key, bytes) != *chunk.fingerprint {
            return Err(Problem::Fingerprint);
        }
    }
    if end == plaintext.len() { Ok(plaintext) } else { Err(Problem::Malformed) }
}
