//! Nodes of the volume map.

use crate::types::{NodeEntry, Problem};
use blockvault_core::change_tag::CHANGE_TAG_BYTES;
use blockvault_core::fingerprint::FINGERPRINT_BYTES;

/// `total`: what the counts add up to.
pub fn read(bytes: &[u8], level: u8, total: u32) -> Result<Vec<NodeEntry>, Problem> {
    let (&found, mut rest) = bytes.split_first().ok_or(Problem::Malformed)?;
    if found != level {
        return Err(Problem::Malformed);
    }
    let mut entries = Vec::new();
    let mut left = total;
    while !rest.is_empty() {
        let kind = take(&mut rest, 1)?[0];
        let count = u32::from_le_bytes(take(&mut rest, 4)?.try_into().map_err(|_| Problem::Malformed)?);
        left = left.checked_sub(count).filter(|_| count > 0).ok_or(Problem::Malformed)?;
        let stored = match kind {
            0 => false,
            1 => true,
            _ => return Err(Problem::Malformed),
        };
        let fingerprint = if stored { Some(take(&mut rest, FINGERPRINT_BYTES)?.to_vec()) } else { None };
        let change_tag = if stored && level == 0 { Some(take(&mut rest, CHANGE_TAG_BYTES)?.to_vec()) } else { None };
        entries.push(NodeEntry { count, fingerprint, change_tag });
    }
    // A node of zeros alone is not stored: its parent has it as zeros.
    let stored = entries.iter().any(|entry| entry.fingerprint.is_some());
    if left == 0 && stored { Ok(entries) } else { Err(Problem::Malformed) }
}

fn take<'bytes>(rest: &mut &'bytes [u8], length: usize) -> Result<&'bytes [u8], Problem> {
    let (taken, after) = rest.split_at_checked(length).ok_or(Problem::Malformed)?;
    *rest = after;
    Ok(taken)
}
