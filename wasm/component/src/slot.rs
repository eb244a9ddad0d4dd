//! Key slots: each wraps the keyring for one key file or passphrase. Costs are checked before any work is done for them.

use crate::keys::{Key, Keyring, hkdf, sha256};
use crate::types::{Problem, Secret};
use crate::{KEY_SLOT_BYTES_MAX, KEY_SLOTS_MAX, from_hex, hex_bytes, is_uuid, key32, seal, two_lines};
use blockvault_core::OutOfMemory;
use blockvault_core::argon2id::{Argon2id, Costs, Inputs};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(tag = "name", deny_unknown_fields)]
enum Kdf {
    #[serde(rename = "argon2id", rename_all = "camelCase")]
    Argon2id {
        salt: String,
        #[serde(rename = "memoryKiB")]
        memory_kib: u64,
        passes: u64,
        lanes: u64,
    },
    #[serde(rename = "hkdf-sha256")]
    Hkdf { salt: String },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Slot {
    version: u32,
    repository: String,
    kdf: Kdf,
    keyring: String,
}

/// The keyring of the first slot that the secret opens. Slots of other repositories are passed over.
pub fn open(slots: &[Vec<u8>], repository: &str, secret: &Secret) -> Result<Keyring, Problem> {
    if slots.len() > KEY_SLOTS_MAX {
        return Err(Problem::Costs);
    }
    let mut problem = None;
    for slot in slots {
        match open_one(slot, repository, secret) {
            Ok(Some(keyring)) => return Ok(keyring),
            Ok(None) => {}
            Err(found @ Problem::Argument) => return Err(found),
            Err(found) => problem = problem.or(Some(found)),
        }
    }
    Err(problem.unwrap_or(Problem::Key))
}

/// Nothing when it is another repository's, for another kind of secret, or does not open.
fn open_one(bytes: &[u8], repository: &str, secret: &Secret) -> Result<Option<Keyring>, Problem> {
    if bytes.len() > KEY_SLOT_BYTES_MAX {
        return Err(Problem::Malformed);
    }
    let (line, checksum) = two_lines(bytes)?;
    if sha256(line.as_bytes()) != checksum {
        return Err(Problem::Malformed);
    }
    let slot: Slot = serde_json::from_str(line).map_err(|_| Problem::Malformed)?;
    let sealed = hex_bytes(&slot.keyring).ok_or(Problem::Malformed)?;
    if slot.version != 1 || !is_uuid(&slot.repository) {
        return Err(Problem::Malformed);
    }
    if slot.repository != repository {
        return Ok(None);
    }
    let Some((key, text)) = slot_key(&slot.kdf, secret)? else { return Ok(None) };
    let additional = format!("blockvault/1/key-slot/{repository}/{text}");
    Ok(seal::open_aes(&key, &[0; 12], additional.as_bytes(), &sealed).and_then(|json| Keyring::from_json(&json)))
}

/// The slot's key, and the end of its additional data: `NAME/SALT/COSTS`.
fn slot_key(kdf: &Kdf, secret: &Secret) -> Result<Option<(Key, String)>, Problem> {
    match (kdf, secret) {
        (Kdf::Hkdf { salt }, Secret::Key(key)) => {
            let bytes: [u8; 16] = from_hex(salt).ok_or(Problem::Malformed)?;
            Ok(Some((hkdf(&key32(key)?, &bytes, "blockvault/1/key-slot"), format!("hkdf-sha256/{salt}/"))))
        }
        (Kdf::Argon2id { salt, memory_kib, passes, lanes }, Secret::Passphrase(passphrase)) => {
            let bytes: [u8; 16] = from_hex(salt).ok_or(Problem::Malformed)?;
            let within =
                (19_456..=1_048_576).contains(memory_kib) && (1..=16).contains(passes) && (1..=16).contains(lanes);
            if !within {
                return Err(Problem::Costs);
            }
            if passphrase.is_empty() {
                return Err(Problem::Argument);
            }
            let costs = Costs { memory_kib: *memory_kib as u32, passes: *passes as u32, lanes: *lanes as u32 };
            let key = argon2id(passphrase, &bytes, costs)?;
            Ok(Some((key, format!("argon2id/{salt}/{memory_kib}/{passes}/{lanes}"))))
        }
        _ => Ok(None),
    }
}

fn argon2id(passphrase: &[u8], salt: &[u8], costs: Costs) -> Result<Key, Problem> {
    let inputs = Inputs { passphrase, salt, ..Inputs::default() };
    let mut running = Argon2id::new(inputs, costs, 32).map_err(|OutOfMemory| Problem::Memory)?;
    while !running.run(usize::MAX) {}
    key32(&running.key())
}
