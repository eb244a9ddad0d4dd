//! Sealed objects: the 24-byte header, what is bound to it, and the two seals.

use crate::keys::{Key, Keyring};
use crate::types::Problem;
use crate::{from_hex, is_uuid, to_hex};
use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{Aes256Gcm, Nonce};
use blockvault_core::fingerprint::fingerprint;

pub const HEADER_BYTES: usize = 24;
pub const SEAL_BYTES: usize = 16;
const MAGIC: &[u8; 4] = b"BVLT";
/// The directory's nonce number; no frame reaches it.
pub const DIRECTORY_NUMBER: u32 = u32::MAX;

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Manifest = 1,
    Index = 2,
    Pack = 3,
}

impl Kind {
    fn info(self) -> &'static str {
        match self {
            Self::Manifest => "blockvault/1/manifest",
            Self::Index => "blockvault/1/index",
            Self::Pack => "blockvault/1/pack",
        }
    }

    fn has_name(self, name: &str) -> bool {
        match self {
            Self::Manifest => name.strip_prefix("backups/").is_some_and(is_uuid),
            Self::Index => name.strip_prefix("index/").is_some_and(|id| from_hex::<16>(id).is_some()),
            Self::Pack => pack_id(name).is_some(),
        }
    }
}

pub fn pack_name(id: &[u8; 16]) -> String {
    let digits = to_hex(id);
    format!("packs/{}/{digits}", &digits[..2])
}

pub fn pack_id(name: &str) -> Option<[u8; 16]> {
    let id = from_hex(name.rsplit('/').next()?)?;
    (pack_name(&id) == name).then_some(id)
}

/// What opens the pieces of one object.
pub struct Opener {
    key: Key,
    additional: Vec<u8>,
    encrypted: bool,
}

impl Opener {
    pub fn new(
        kind: Kind,
        name: &str,
        header: &[u8],
        repository: &str,
        keyring: &Keyring,
        encrypted: bool,
    ) -> Result<Self, Problem> {
        if !kind.has_name(name) {
            return Err(Problem::Argument);
        }
        let header: &[u8; HEADER_BYTES] = header.try_into().map_err(|_| Problem::NotAnObject)?;
        if header[..4] != *MAGIC {
            return Err(Problem::NotAnObject);
        }
        match header[4] {
            1 if header[5] == kind as u8 => {}
            2.. => return Err(Problem::NewerVersion),
            _ => return Err(Problem::NotAnObject),
        }
        if kind == Kind::Pack && pack_id(name).is_none_or(|id| id != header[8..]) {
            return Err(Problem::Malformed);
        }
        let key = keyring.object_key(u16::from_le_bytes([header[6], header[7]]), &header[8..], kind.info())?;
        Ok(Self { key, additional: [header, repository.as_bytes(), name.as_bytes()].concat(), encrypted })
    }

    /// The plaintext of the piece with this number, once its seal holds.
    pub fn open(&self, number: u32, sealed: &[u8]) -> Result<Vec<u8>, Problem> {
        let mut nonce = [0; 12];
        nonce[..4].copy_from_slice(&number.to_le_bytes());
        let opened = if self.encrypted {
            open_aes(&self.key, &nonce, &self.additional, sealed)
        } else {
            self.open_checksum(&nonce, sealed)
        };
        opened.ok_or(Problem::Seal)
    }

    fn open_checksum(&self, nonce: &[u8; 12], sealed: &[u8]) -> Option<Vec<u8>> {
        let (plaintext, tag) = sealed.split_at_checked(sealed.len().checked_sub(SEAL_BYTES)?)?;
        let lengths = [(nonce.len() as u32).to_le_bytes(), (self.additional.len() as u32).to_le_bytes()].concat();
        let sum = fingerprint(&self.key, &[&lengths, &nonce[..], &self.additional, plaintext].concat());
        (sum[..SEAL_BYTES] == *tag).then(|| plaintext.to_vec())
    }
}

pub fn open_aes(key: &Key, nonce: &[u8; 12], additional: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
    let cipher = Aes256Gcm::new_from_slice(key).ok()?;
    cipher.decrypt(&Nonce::from(*nonce), Payload { msg: sealed, aad: additional }).ok()
}
