//! Cuts, zero flags and fingerprints of one segment in one call: a call from JavaScript costs more than a short chunk.

use crate::blake3::Blake3;
use crate::chunker::Chunker;
use crate::fingerprint::{FINGERPRINT_BYTES, Key};
use crate::zero::is_zero;

/// What a scan found, in volume order; the three lists are equally long.
#[derive(Default)]
pub struct Scan {
    pub lengths: Vec<u32>,
    /// 1 where the chunk is all zero; its fingerprint is then all zero too and was not computed.
    pub zero: Vec<u8>,
    pub fingerprints: Vec<[u8; FINGERPRINT_BYTES]>,
}

pub struct Scanner {
    chunker: Chunker,
    blake3: Blake3,
    found: Scan,
}

impl Scanner {
    pub fn new(chunker: Chunker, key: Key) -> Self {
        Self { chunker, blake3: Blake3::keyed(&key), found: Scan::default() }
    }

    /// The result stays valid until the next scan: its memory is used again.
    pub fn scan(&mut self, segment: &[u8]) -> &Scan {
        let Scan { lengths, zero, fingerprints } = &mut self.found;
        lengths.clear();
        zero.clear();
        fingerprints.clear();
        let mut rest = segment;
        while !rest.is_empty() {
            let (chunk, after) = rest.split_at(self.chunker.cut(rest));
            let empty = is_zero(chunk);
            lengths.push(chunk.len() as u32);
            zero.push(empty as u8);
            fingerprints.push(if empty { [0; FINGERPRINT_BYTES] } else { self.blake3.hash(chunk) });
            rest = after;
        }
        &self.found
    }

    pub fn found(&self) -> &Scan {
        &self.found
    }
}
