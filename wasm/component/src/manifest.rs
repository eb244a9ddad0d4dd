//! Manifests: the JSON of one backup, checked against its fields and bounds.

use crate::config::is_time;
use crate::types::Problem;
use crate::{from_hex, is_uuid};
use serde::Deserialize;
use std::collections::BTreeMap;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Root {
    level: u8,
    fingerprint: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Manifest {
    version: u32,
    id: String,
    volume: String,
    created_at: String,
    volume_bytes: u64,
    source_path: String,
    host_name: String,
    tags: BTreeMap<String, String>,
    #[serde(rename = "readBytes")]
    _read_bytes: u64,
    #[serde(rename = "newBytes")]
    _new_bytes: u64,
    #[serde(rename = "storedBytes")]
    _stored_bytes: u64,
    seconds: f64,
    root: Root,
    indexes: Vec<String>,
}

/// `name` is the object's: `backups/` and the id.
pub fn check(json: &[u8], name: &str) -> Result<String, Problem> {
    let text = std::str::from_utf8(json).map_err(|_| Problem::Malformed)?;
    let manifest: Manifest = serde_json::from_str(text).map_err(|_| Problem::Malformed)?;
    if is_sound(&manifest) && name.strip_prefix("backups/") == Some(&manifest.id) {
        Ok(text.to_owned())
    } else {
        Err(Problem::Malformed)
    }
}

fn is_sound(manifest: &Manifest) -> bool {
    let Manifest {
        version,
        id,
        volume,
        created_at,
        volume_bytes,
        source_path,
        host_name,
        tags,
        seconds,
        root,
        indexes,
        ..
    } = manifest;
    // Lengths are of UTF-16 units: characters as JSON's own language counts them.
    let units = |text: &str| text.encode_utf16().count();
    *version == 1
        && is_uuid(id)
        && (1..=1024).contains(&units(volume))
        && is_time(created_at)
        && *volume_bytes <= (1 << 53) - 1
        && units(source_path) <= 4096
        && units(host_name) <= 1024
        && tags.len() <= 256
        && tags.iter().all(|(tag, value)| (1..=128).contains(&units(tag)) && units(value) <= 1024)
        && *seconds >= 0.0
        && root.level <= 7
        && root.fingerprint.as_ref().is_none_or(|digits| from_hex::<32>(digits).is_some())
        && indexes.len() <= 16_384
        && indexes.iter().all(|digits| from_hex::<16>(digits).is_some())
}
