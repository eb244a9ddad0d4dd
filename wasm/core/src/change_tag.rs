//! Change tags: 128 bits that tell, four times as fast as a fingerprint, whether a chunk is still what it was.
//!
//! The first layer is that of UMAC-128 (RFC 4418, section 5.2): NH over blocks of 1 KiB in four Toeplitz passes, so two
//! different chunks of one length give equal sums with a chance of at most 2^-128 over the choice of the key, whoever chose
//! the chunks without knowing it. The second layer is keyed BLAKE3 over the sums and the length. A tag is a MAC, not an
//! identity: it is compared only with the tag of the same place in the backup before.

use crate::blake3::Blake3;
use crate::fingerprint::{Key, derive};
use crate::nh::{BLOCK_BYTES, KEY_BYTES as NH_KEY_BYTES, Nh, SUM_BYTES};

pub const CHANGE_TAG_BYTES: usize = 16;

pub type ChangeTag = [u8; CHANGE_TAG_BYTES];

/// What the keys of both layers are derived from, with the fingerprint key.
const CONTEXT: &[u8] = b"blockvault/1 change tag";

pub struct ChangeTagger {
    nh: Nh,
    outer: Blake3,
    sums: Vec<u8>,
}

impl ChangeTagger {
    pub fn new(key: &Key) -> Self {
        let mut keys = [0; NH_KEY_BYTES + 32];
        derive(key, CONTEXT, &mut keys);
        let (nh, outer) = keys.split_first_chunk().expect("the NH key comes first");
        Self { nh: Nh::new(nh), outer: Blake3::keyed(outer.try_into().expect("32 bytes follow")), sums: Vec::new() }
    }

    pub fn tag(&mut self, chunk: &[u8]) -> ChangeTag {
        self.sums.clear();
        let (blocks, rest) = chunk.as_chunks::<BLOCK_BYTES>();
        for block in blocks {
            self.sums.extend_from_slice(&self.nh.sum(block));
        }
        if !rest.is_empty() {
            let mut last = [0; BLOCK_BYTES];
            last[..rest.len()].copy_from_slice(rest);
            self.sums.extend_from_slice(&self.nh.sum(&last));
        }
        debug_assert_eq!(self.sums.len() % SUM_BYTES, 0);
        self.sums.extend_from_slice(&(chunk.len() as u64).to_le_bytes());
        let hash = self.outer.hash(&self.sums);
        *hash.first_chunk().expect("a hash is longer than a tag")
    }
}
