//! The stored samples of format version 1, read by the component's own code, natively: opened, restored, and damaged.

use blockvault_component::Component;
use blockvault_component::types::{Guest, GuestRepository, NodeEntry, Pack, Problem, Secret};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

type Repository = <Component as Guest>::Repository;

fn samples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../test/vectors/repository-v1")
}

fn objects(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    fn walk(folder: &Path, prefix: &str, found: &mut BTreeMap<String, Vec<u8>>) {
        for entry in fs::read_dir(folder).expect("a folder") {
            let entry = entry.expect("an entry");
            let name = format!("{prefix}{}", entry.file_name().to_str().expect("a name"));
            if entry.path().is_dir() {
                walk(&entry.path(), &format!("{name}/"), found);
            } else {
                found.insert(name, fs::read(entry.path()).expect("a file"));
            }
        }
    }
    let mut found = BTreeMap::new();
    walk(folder, "", &mut found);
    found
}

fn below<'objects>(
    objects: &'objects BTreeMap<String, Vec<u8>>,
    prefix: &str,
) -> Vec<(&'objects String, &'objects Vec<u8>)> {
    objects.iter().filter(|(name, _)| name.starts_with(prefix)).collect()
}

fn sample() -> serde_json::Value {
    serde_json::from_slice(&fs::read(samples().join("sample.json")).expect("sample.json")).expect("JSON")
}

fn key() -> Vec<u8> {
    let text = fs::read_to_string(samples().join("encrypted.key")).expect("a key file");
    let digits = text.trim().rsplit(' ').next().expect("digits").to_owned();
    (0..64).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).expect("hex")).collect()
}

fn open(objects: &BTreeMap<String, Vec<u8>>, secret: &Secret) -> Result<Repository, Problem> {
    let slots: Vec<_> = below(objects, "keys/").into_iter().map(|(_, slot)| slot.clone()).collect();
    Repository::unlock(&objects["config"], &slots, secret)
}

fn cases() -> Vec<(&'static str, Secret)> {
    let passphrase = sample()["passphrase"].as_str().expect("a passphrase").as_bytes().to_vec();
    vec![("encrypted", Secret::Key(key())), ("encrypted", Secret::Passphrase(passphrase)), ("open", Secret::None)]
}

/// Every chunk of every pack by its fingerprint.
fn chunks(repository: &Repository, objects: &BTreeMap<String, Vec<u8>>) -> BTreeMap<Vec<u8>, Vec<u8>> {
    let mut chunks = BTreeMap::new();
    for (name, pack) in below(objects, "packs/") {
        for frame in repository.pack(name.clone(), pack.clone()).expect("a pack").frames {
            let sealed = pack[frame.offset as usize..][..frame.stored_bytes as usize].to_vec();
            let plaintext =
                repository.open_frame(name.clone(), pack[..24].to_vec(), frame.clone(), sealed).expect("a frame");
            for chunk in frame.chunks {
                chunks.insert(chunk.fingerprint, plaintext[chunk.offset as usize..][..chunk.length as usize].to_vec());
            }
        }
    }
    chunks
}

/// The volume below one entry of a node.
fn restore(
    repository: &Repository,
    chunks: &BTreeMap<Vec<u8>, Vec<u8>>,
    node: Option<&[u8]>,
    level: u8,
    segment: u64,
    length: u64,
) -> Vec<u8> {
    let Some(node) = node else { return vec![0; length as usize] };
    let child = if level == 0 { 1 } else { segment * 128u64.pow(u32::from(level) - 1) };
    let entries = repository.node(chunks[node].clone(), level, length.div_ceil(child) as u32).expect("a node");
    let mut volume = Vec::new();
    for NodeEntry { count, fingerprint, .. } in entries {
        match fingerprint {
            Some(fingerprint) if level == 0 => volume.extend_from_slice(&chunks[&fingerprint]),
            fingerprint => {
                for _ in 0..if level == 0 { 1 } else { count } {
                    let bytes = if level == 0 { u64::from(count) } else { child.min(length - volume.len() as u64) };
                    volume.extend(restore(
                        repository,
                        chunks,
                        fingerprint.as_deref(),
                        level.saturating_sub(1),
                        segment,
                        bytes,
                    ));
                }
            }
        }
    }
    volume
}

#[test]
fn restores_the_samples_byte_for_byte() {
    for (name, secret) in cases() {
        let objects = objects(&samples().join(name));
        let repository = open(&objects, &secret).expect("it opens");
        let config: serde_json::Value =
            serde_json::from_slice(objects["config"].split(|&byte| byte == b'\n').next().unwrap()).unwrap();
        assert_eq!(repository.id(), config["id"].as_str().unwrap());
        let segment = config["segmentBytes"].as_u64().unwrap();
        let chunks = chunks(&repository, &objects);
        for backup in sample()[name].as_array().expect("backups") {
            let object = format!("backups/{}", backup["id"].as_str().unwrap());
            let manifest: serde_json::Value = serde_json::from_str(
                &repository.manifest(object.clone(), objects[&object].clone()).expect("a manifest"),
            )
            .unwrap();
            let (root, length) = (&manifest["root"], manifest["volumeBytes"].as_u64().unwrap());
            let fingerprint = root["fingerprint"].as_str().map(|digits| {
                (0..64).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap()).collect::<Vec<_>>()
            });
            let level = root["level"].as_u64().unwrap() as u8;
            let volume = restore(&repository, &chunks, fingerprint.as_deref(), level, segment, length);
            let sum: String = Sha256::digest(&volume).iter().map(|byte| format!("{byte:02x}")).collect();
            assert_eq!(sum, backup["sha256"].as_str().unwrap(), "{object}");
        }
    }
}

#[test]
fn index_objects_say_what_the_packs_say() {
    for (name, secret) in cases() {
        let objects = objects(&samples().join(name));
        let repository = open(&objects, &secret).expect("it opens");
        let named: Vec<Pack> = below(&objects, "index/")
            .into_iter()
            .flat_map(|(name, index)| repository.index(name.clone(), index.clone()).expect("an index"))
            .collect();
        assert_eq!(named.len(), below(&objects, "packs/").len());
        for pack in named {
            let bytes = &objects[&pack.name];
            assert_eq!(pack.length as usize, bytes.len());
            assert_eq!(
                format!("{pack:?}"),
                format!("{:?}", repository.pack(pack.name.clone(), bytes.clone()).unwrap())
            );
        }
    }
}

#[test]
fn nothing_that_was_altered_opens() {
    for (name, secret) in cases() {
        let objects = objects(&samples().join(name));
        let repository = open(&objects, &secret).expect("it opens");
        let (pack_name, pack) = below(&objects, "packs/")[0];
        let frame = repository.pack(pack_name.clone(), pack.clone()).unwrap().frames[0].clone();
        let sealed = pack[frame.offset as usize..][..frame.stored_bytes as usize].to_vec();
        let frame_of = |name: &str, header: &[u8], frame, sealed: &[u8]| {
            repository.open_frame(name.into(), header.into(), frame, sealed.into())
        };
        for at in [0, sealed.len() / 2, sealed.len() - 1] {
            let mut broken = sealed.clone();
            broken[at] ^= 1;
            assert_eq!(frame_of(pack_name, &pack[..24], frame.clone(), &broken), Err(Problem::Seal));
        }
        let mut other = frame.clone();
        other.number += 1;
        assert_eq!(frame_of(pack_name, &pack[..24], other, &sealed), Err(Problem::Seal));
        let mut other = frame.clone();
        other.chunks[0].fingerprint[31] ^= 1;
        assert_eq!(frame_of(pack_name, &pack[..24], other, &sealed), Err(Problem::Fingerprint));
        let mut other = frame.clone();
        other.chunks.pop();
        assert_eq!(frame_of(pack_name, &pack[..24], other, &sealed), Err(Problem::Malformed));
        let mut other = frame.clone();
        other.plain_bytes = u32::MAX;
        assert_eq!(frame_of(pack_name, &pack[..24], other, &sealed), Err(Problem::Malformed));
        let mut other = frame.clone();
        other.plain_bytes -= 1;
        assert_eq!(frame_of(pack_name, &pack[..24], other, &sealed), Err(Problem::Codec));

        for (kind, object) in [below(&objects, "backups/")[0], below(&objects, "index/")[0]] {
            let read = |name: &str, bytes: &[u8]| {
                if kind.starts_with("backups/") {
                    repository.manifest(name.into(), bytes.into()).map(|_| ())
                } else {
                    repository.index(name.into(), bytes.into()).map(|_| ())
                }
            };
            assert_eq!(read(kind, object), Ok(()));
            for length in [0, 23, 24, 39, object.len() - 1] {
                assert!(read(kind, &object[..length]).is_err(), "{kind} cut to {length}");
            }
            let altered = |at: usize, value: u8| {
                let mut bytes = object.clone();
                bytes[at] = value;
                bytes
            };
            assert_eq!(read(kind, &altered(0, b'X')), Err(Problem::NotAnObject));
            assert_eq!(read(kind, &altered(4, 2)), Err(Problem::NewerVersion));
            assert_eq!(read(kind, &altered(5, 3)), Err(Problem::NotAnObject));
            assert_eq!(read(kind, &altered(6, 9)), Err(Problem::Epoch));
            assert_eq!(read(kind, &altered(8, object[8] ^ 1)), Err(Problem::Seal));
            let mut name = kind.clone();
            let last = if name.ends_with('0') { "1" } else { "0" };
            name.replace_range(name.len() - 1.., last);
            assert_eq!(read(&name, object), Err(Problem::Seal), "renamed");
            assert_eq!(read("backups/../config", object), Err(Problem::Argument));
        }
    }
}

#[test]
fn a_repository_opens_with_its_own_secret_only() {
    let encrypted = objects(&samples().join("encrypted"));
    let plain = objects(&samples().join("open"));
    let refused = |objects: &BTreeMap<String, Vec<u8>>, secret: Secret| open(objects, &secret).err();
    assert_eq!(refused(&encrypted, Secret::None), Some(Problem::Encryption));
    assert_eq!(refused(&plain, Secret::Key(key())), Some(Problem::Encryption));
    assert_eq!(refused(&encrypted, Secret::Key(vec![7; 32])), Some(Problem::Key));
    assert_eq!(refused(&encrypted, Secret::Key(vec![7; 31])), Some(Problem::Argument));
    assert_eq!(refused(&encrypted, Secret::Passphrase(b"wrong".to_vec())), Some(Problem::Key));
    assert_eq!(refused(&encrypted, Secret::Passphrase(Vec::new())), Some(Problem::Argument));

    // A config that somebody else signed, and slots that ask for too much or are damaged.
    let mut altered = encrypted.clone();
    let text = String::from_utf8(altered["config"].clone()).unwrap().replace("\"version\":1", "\"version\":2");
    altered.insert("config".into(), text.clone().into());
    assert_eq!(refused(&altered, Secret::Key(key())), Some(Problem::NewerVersion));
    altered.insert(
        "config".into(),
        String::from_utf8(encrypted["config"].clone()).unwrap().replace("4194304", "8388608").into(),
    );
    assert_eq!(refused(&altered, Secret::Key(key())), Some(Problem::Seal));
    altered.insert("config".into(), b"{}\n".to_vec());
    assert!(refused(&altered, Secret::Key(key())).is_some());

    let with_slots = |change: &dyn Fn(&str) -> String| {
        let mut altered = encrypted.clone();
        for (name, slot) in below(&encrypted, "keys/") {
            let line = change(std::str::from_utf8(slot).unwrap().lines().next().unwrap());
            let sum: String = Sha256::digest(line.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
            altered.insert(name.clone(), format!("{line}\n{sum}\n").into());
        }
        altered
    };
    let passphrase = || Secret::Passphrase(sample()["passphrase"].as_str().unwrap().as_bytes().to_vec());
    assert_eq!(open(&with_slots(&str::to_owned), &passphrase()).err(), None);
    assert_eq!(
        refused(&with_slots(&|line| line.replace("\"passes\":", "\"passes\":9")), passphrase()),
        Some(Problem::Costs)
    );
    assert_eq!(
        refused(&with_slots(&|line| line.replace("\"lanes\":4", "\"lanes\":3")), passphrase()),
        Some(Problem::Key)
    );
    assert_eq!(
        refused(&with_slots(&|line| line.replace("\"version\":1", "\"version\":1,\"more\":1")), passphrase()),
        Some(Problem::Malformed)
    );
    let mut damaged = encrypted.clone();
    for (name, slot) in below(&encrypted, "keys/") {
        damaged.insert(name.clone(), slot[..slot.len() - 2].to_vec());
    }
    assert_eq!(refused(&damaged, Secret::Key(key())), Some(Problem::Malformed));
}

#[test]
fn bytes_without_sense_are_refused_and_never_panic() {
    let objects = objects(&samples().join("open"));
    let repository = open(&objects, &Secret::None).expect("it opens");
    let seed = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_nanos() as u64;
    println!("seed {seed}");
    let mut state = seed | 1;
    let mut random = |most: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % most as u64) as usize
    };
    let sources: Vec<Vec<u8>> = objects.values().cloned().collect();
    for _ in 0..20_000 {
        let mut bytes = sources[random(sources.len())].clone();
        bytes.truncate(random(bytes.len().min(4096) + 1));
        for _ in 0..random(4) {
            if !bytes.is_empty() {
                let at = random(bytes.len());
                bytes[at] = random(256) as u8;
            }
        }
        let level = random(9) as u8;
        let _ = repository.node(bytes.clone(), level, random(1 << 20) as u32);
        let _ = Component::directory_place(bytes.clone(), random(1 << 20) as u32);
        let _ = repository.pack(below(&objects, "packs/")[0].0.clone(), bytes.clone());
        assert!(
            Repository::unlock(&bytes, std::slice::from_ref(&bytes), &Secret::None).is_err()
                || bytes == objects["config"]
        );
        let _ = Repository::unlock(&objects["config"], std::slice::from_ref(&bytes), &Secret::Key(vec![1; 32]));
    }
}
