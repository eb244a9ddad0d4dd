//! Cuts, zero flags, fingerprints and change tags of one segment in one call: a call from JavaScript costs more than a
//! short chunk.

use crate::blake3::Blake3;
use crate::change_tag::{CHANGE_TAG_BYTES, ChangeTag, ChangeTagger};
use crate::chunker::Chunker;
use crate::fingerprint::{FINGERPRINT_BYTES, Key};
use crate::zero::is_zero;

/// What a scan found, in volume order; the lists are equally long.
#[derive(Default)]
pub struct Scan {
    pub lengths: Vec<u32>,
    /// 1 where the chunk is all zero; its fingerprint is then all zero too and was not computed.
    pub zero: Vec<u8>,
    pub fingerprints: Vec<[u8; FINGERPRINT_BYTES]>,
    /// All zero where the chunk is.
    pub change_tags: Vec<ChangeTag>,
}

impl Scan {
    fn clear(&mut self) {
        self.lengths.clear();
        self.zero.clear();
        self.fingerprints.clear();
        self.change_tags.clear();
    }
}

pub struct Scanner {
    chunker: Chunker,
    blake3: Blake3,
    tagger: ChangeTagger,
    found: Scan,
}

impl Scanner {
    pub fn new(chunker: Chunker, key: Key) -> Self {
        Self { chunker, blake3: Blake3::keyed(&key), tagger: ChangeTagger::new(&key), found: Scan::default() }
    }

    /// The result stays valid until the next scan: its memory is used again.
    pub fn scan(&mut self, segment: &[u8]) -> &Scan {
        self.found.clear();
        let Scan { lengths, zero, fingerprints, change_tags } = &mut self.found;
        let mut rest = segment;
        while !rest.is_empty() {
            let (chunk, after) = rest.split_at(self.chunker.cut(rest));
            let empty = is_zero(chunk);
            lengths.push(chunk.len() as u32);
            zero.push(empty as u8);
            fingerprints.push(if empty { [0; FINGERPRINT_BYTES] } else { self.blake3.hash(chunk) });
            change_tags.push(if empty { [0; CHANGE_TAG_BYTES] } else { self.tagger.tag(chunk) });
            rest = after;
        }
        &self.found
    }

    /// Only zero flags and change tags, of chunks whose lengths are known. Lengths beyond the end of `segment` are cut off.
    pub fn tag(&mut self, segment: &[u8], lengths: &[u32]) -> &Scan {
        self.found.clear();
        let mut rest = segment;
        for &length in lengths {
            let (chunk, after) = rest.split_at(rest.len().min(length as usize));
            let empty = is_zero(chunk);
            self.found.zero.push(empty as u8);
            self.found.change_tags.push(if empty { [0; CHANGE_TAG_BYTES] } else { self.tagger.tag(chunk) });
            rest = after;
        }
        &self.found
    }

    pub fn found(&self) -> &Scan {
        &self.found
    }
}
