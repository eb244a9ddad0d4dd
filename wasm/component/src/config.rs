//! `config`: what the repository is. Believed once its signature holds.

use crate::{CONFIG_BYTES_MAX, is_uuid, keys::Keyring, keys::authentic, two_lines, types::Problem};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields)]
enum Chunker {
    Fixed { size: u32 },
    Fastcdc { min: u32, average: u32, max: u32 },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Fields {
    #[serde(rename = "format")]
    _format: String,
    #[serde(rename = "version")]
    _version: u32,
    id: String,
    created_at: String,
    chunker: Chunker,
    segment_bytes: u32,
    frame_bytes: u32,
    fingerprint: String,
    seal: String,
}

/// What comes before all other fields: whether this is a config, and one that this reader knows.
#[derive(Deserialize)]
struct Kind {
    format: String,
    version: u64,
}

pub struct Config<'bytes> {
    pub id: String,
    pub encrypted: bool,
    line: &'bytes str,
    signature: [u8; 32],
}

pub fn read(bytes: &[u8]) -> Result<Config<'_>, Problem> {
    if bytes.len() > CONFIG_BYTES_MAX {
        return Err(Problem::Malformed);
    }
    let (line, signature) = two_lines(bytes)?;
    let kind: Kind = serde_json::from_str(line).map_err(|_| Problem::NotAnObject)?;
    match kind {
        Kind { format, .. } if format != "blockvault" => return Err(Problem::NotAnObject),
        Kind { version: 1, .. } => {}
        Kind { version: 2.., .. } => return Err(Problem::NewerVersion),
        _ => return Err(Problem::Malformed),
    }
    let fields: Fields = serde_json::from_str(line).map_err(|_| Problem::Malformed)?;
    if !is_sound(&fields) {
        return Err(Problem::Malformed);
    }
    Ok(Config { encrypted: fields.seal == "aes-256-gcm", id: fields.id, line, signature })
}

impl Config<'_> {
    pub fn is_signed_by(&self, keyring: &Keyring) -> bool {
        authentic(&keyring.config_key(), self.line.as_bytes(), &self.signature)
    }
}

fn is_sound(fields: &Fields) -> bool {
    let chunk = |bytes: &u32| (512..=4 << 20).contains(bytes);
    let large = |bytes: &u32| (64 << 10..=16 << 20).contains(bytes);
    let (chunks, longest) = match fields.chunker {
        Chunker::Fixed { size } => (chunk(&size), size),
        Chunker::Fastcdc { min, average, max } => {
            (chunk(&min) && chunk(&average) && chunk(&max) && min <= average && average <= max, max)
        }
    };
    chunks
        && large(&fields.segment_bytes)
        && large(&fields.frame_bytes)
        && longest <= fields.segment_bytes.min(fields.frame_bytes)
        && is_uuid(&fields.id)
        && is_time(&fields.created_at)
        && fields.fingerprint == "blake3-keyed"
        && ["aes-256-gcm", "checksum"].contains(&fields.seal.as_str())
}

/// ISO 8601 in UTC, as `2026-01-31T23:59:59.999Z`: its shape, not whether there was such a day.
pub fn is_time(text: &str) -> bool {
    let Some(digits) = text.strip_suffix('Z') else { return false };
    let (whole, fraction) = digits.split_at_checked(19).unwrap_or(("", ""));
    let shape = whole.bytes().zip("0000-00-00T00:00:00".bytes());
    whole.len() == 19
        && shape.into_iter().all(|(byte, shape)| if shape == b'0' { byte.is_ascii_digit() } else { byte == shape })
        && (fraction.is_empty()
            || (fraction.len() > 1
                && fraction.starts_with('.')
                && fraction[1..].bytes().all(|byte| byte.is_ascii_digit())))
}
