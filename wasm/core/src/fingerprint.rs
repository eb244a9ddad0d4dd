//! Keyed BLAKE3-256: the identity of a chunk. The key is secret, so a store cannot confirm what a chunk holds.

pub const FINGERPRINT_BYTES: usize = 32;
pub const KEY_BYTES: usize = 32;

pub type Fingerprint = [u8; FINGERPRINT_BYTES];
pub type Key = [u8; KEY_BYTES];

pub fn fingerprint(key: &Key, bytes: &[u8]) -> Fingerprint {
    *blake3::keyed_hash(key, bytes).as_bytes()
}

/// Fills `output` with BLAKE3's extended output over `input`: how other secrets are derived from the fingerprint key.
pub fn derive(key: &Key, input: &[u8], output: &mut [u8]) {
    blake3::Hasher::new_keyed(key).update(input).finalize_xof().fill(output);
}
