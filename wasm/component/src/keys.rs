//! Keys: HKDF-SHA-256 with 32 bytes out, and the keyring that everything else is derived from.

use crate::{from_hex, types::Problem};
use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac};
use serde::Deserialize;
use sha2::{Digest, Sha256};

pub type Key = [u8; 32];

pub fn hkdf(secret: &[u8], salt: &[u8], info: &str) -> Key {
    let mut key = [0; 32];
    Hkdf::<Sha256>::new(Some(salt), secret).expand(info.as_bytes(), &mut key).expect("HKDF gives up to 8160 bytes");
    key
}

pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// True when `code` is the HMAC-SHA-256 of `bytes`.
pub fn authentic(key: &Key, bytes: &[u8], code: &[u8; 32]) -> bool {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(bytes);
    mac.verify_slice(code).is_ok()
}

pub struct Keyring {
    pub fingerprint_key: Key,
    /// Oldest first, never empty.
    epochs: Vec<(u16, Key)>,
}

impl Keyring {
    /// Of a repository without encryption: made from its id.
    pub fn unencrypted(id: &str) -> Self {
        Self {
            fingerprint_key: hkdf(id.as_bytes(), &[], "blockvault/1/unencrypted/fingerprint"),
            epochs: vec![(1, hkdf(id.as_bytes(), &[], "blockvault/1/unencrypted/epoch"))],
        }
    }

    /// What a key slot holds.
    pub fn from_json(json: &[u8]) -> Option<Self> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Epoch {
            number: u16,
            key: String,
        }
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields, rename_all = "camelCase")]
        struct Stored {
            fingerprint_key: String,
            epochs: Vec<Epoch>,
        }
        let stored: Stored = serde_json::from_slice(json).ok()?;
        if stored.epochs.is_empty() || stored.epochs.len() > 4096 || stored.epochs.iter().any(|epoch| epoch.number == 0)
        {
            return None;
        }
        let epochs =
            stored.epochs.iter().map(|epoch| Some((epoch.number, from_hex(&epoch.key)?))).collect::<Option<_>>()?;
        Some(Self { fingerprint_key: from_hex(&stored.fingerprint_key)?, epochs })
    }

    pub fn config_key(&self) -> Key {
        hkdf(&self.epochs[0].1, &[], "blockvault/1/config")
    }

    /// The key of one object of the given type.
    pub fn object_key(&self, epoch: u16, salt: &[u8], info: &str) -> Result<Key, Problem> {
        let found = self.epochs.iter().find(|(number, _)| *number == epoch);
        found.map(|(_, key)| hkdf(key, salt, info)).ok_or(Problem::Epoch)
    }
}
