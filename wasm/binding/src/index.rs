//! The chunk index and the set of claimed fingerprints. Batches are copied in: 32 bytes for each 64 KiB of a volume.

use blockvault_core::chunk_index::{ChunkIndex as CoreChunkIndex, LoadError};
use blockvault_core::fingerprint::Fingerprint;
use blockvault_core::fingerprint_set::FingerprintSet as CoreFingerprintSet;
use wasm_bindgen::prelude::wasm_bindgen;

/// What `load` answers when memory is out.
const OUT_OF_MEMORY: f64 = -1.0;
/// What `load` answers for a damaged block: this less the offset of the damage.
const DAMAGED: f64 = -2.0;

#[wasm_bindgen]
#[derive(Default)]
pub struct ChunkIndex(CoreChunkIndex);

#[wasm_bindgen]
impl ChunkIndex {
    #[wasm_bindgen(constructor)]
    pub fn new() -> ChunkIndex {
        ChunkIndex::default()
    }

    pub fn size(&self) -> usize {
        self.0.size()
    }

    pub fn memory_bytes(&self) -> usize {
        self.0.memory_bytes()
    }

    pub fn packs(&self) -> usize {
        self.0.packs()
    }

    /// Number of packs in the block; -1 when memory is out, -2 - offset when the block is damaged there.
    pub fn load(&mut self, block: &[u8]) -> f64 {
        match self.0.load(block) {
            Ok(packs) => packs as f64,
            Err(LoadError::OutOfMemory) => OUT_OF_MEMORY,
            Err(LoadError::Damaged(damaged)) => DAMAGED - damaged.offset as f64,
        }
    }

    pub fn has(&self, fingerprints: &[u8]) -> Vec<u8> {
        split(fingerprints).iter().map(|fingerprint| self.0.has(fingerprint) as u8).collect()
    }

    /// The fields of `ChunkPlace` in their order, or nothing when the chunk is not held.
    pub fn find(&self, fingerprint: &[u8]) -> Option<Vec<u32>> {
        let place = self.0.find(split(fingerprint).first()?)?;
        Some(vec![
            place.pack,
            place.frame,
            place.frame_offset,
            place.frame_stored_bytes,
            place.frame_plain_bytes,
            place.codec as u32,
            place.chunk_offset,
            place.chunk_bytes,
        ])
    }

    pub fn pack_id(&self, pack: usize) -> Option<Vec<u8>> {
        self.0.pack(pack).map(|(id, _)| id.to_vec())
    }

    pub fn pack_bytes(&self, pack: usize) -> Option<u32> {
        self.0.pack(pack).map(|(_, bytes)| bytes)
    }
}

#[wasm_bindgen]
#[derive(Default)]
pub struct FingerprintSet(CoreFingerprintSet);

#[wasm_bindgen]
impl FingerprintSet {
    #[wasm_bindgen(constructor)]
    pub fn new() -> FingerprintSet {
        FingerprintSet::default()
    }

    pub fn size(&self) -> usize {
        self.0.size()
    }

    /// For each fingerprint 1 when it was not in the set before; nothing when memory is out.
    pub fn claim(&mut self, fingerprints: &[u8]) -> Option<Vec<u8>> {
        let fingerprints = split(fingerprints);
        self.0.reserve(fingerprints.len()).ok()?;
        Some(fingerprints.iter().map(|fingerprint| self.0.claim(fingerprint) as u8).collect())
    }
}

fn split(fingerprints: &[u8]) -> &[Fingerprint] {
    fingerprints.as_chunks().0
}
