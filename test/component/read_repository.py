"""Reads a repository with nothing but the component, a WebAssembly host and Python's own library.

    python3 read_repository.py COMPONENT DIRECTORY [--key HEX | --passphrase TEXT]

Prints a line for each chunk of each pack, once its frame was opened and its fingerprint checked:

    chunk PACK FRAME OFFSET LENGTH FINGERPRINT

and a line for each backup, restored in memory:

    backup ID BYTES SHA256
"""

import hashlib
import json
import sys
from pathlib import Path

from wasmtime import Engine, Store
from wasmtime.component import Component, Linker, Variant

OBJECTS = "blockvault:reader/objects@1.0.0"
HEADER_BYTES = 24
FANOUT = 128


class Reader:
    """The exported functions of one instance, by their names."""

    def __init__(self, path):
        engine = Engine()
        self.store = Store(engine)
        self.instance = Linker(engine).instantiate(self.store, Component.from_file(engine, path))
        self.objects = self.instance.get_export_index(self.store, OBJECTS)

    def call(self, name, *arguments):
        index = self.instance.get_export_index(self.store, name, self.objects)
        function = self.instance.get_func(self.store, index)
        result = function(self.store, *arguments)
        function.post_return(self.store)
        # A result's error is the problem's name.
        if isinstance(result, Variant):
            if result.tag == "err":
                sys.exit(f"refused: {result.payload}")
            return result.payload
        if isinstance(result, str) and not name.endswith((".id", ".manifest")):
            sys.exit(f"refused: {result}")
        return result


def main(component, directory, *secret):
    root = Path(directory)
    reader = Reader(component)
    kind, value = secret if secret else ("--none", None)
    secrets = {"--key": bytes.fromhex, "--passphrase": str.encode, "--none": lambda _: None}
    config = (root / "config").read_bytes()
    slots = [path.read_bytes() for path in sorted(root.glob("keys/*"))]
    repository = reader.call("[static]repository.open", config, slots, Variant(kind[2:], secrets[kind](value)))

    def method(name, *arguments):
        return reader.call(f"[method]repository.{name}", repository, *arguments)

    chunks = {}
    for path in sorted(root.glob("packs/*/*")):
        name = path.relative_to(root).as_posix()
        content = path.read_bytes()
        for frame in method("pack", name, content).frames:
            sealed = content[frame.offset : frame.offset + getattr(frame, "stored-bytes")]
            plaintext = method("open-frame", name, content[:HEADER_BYTES], frame, sealed)
            for chunk in frame.chunks:
                fingerprint = bytes(chunk.fingerprint)
                chunks[fingerprint] = bytes(plaintext[chunk.offset : chunk.offset + chunk.length])
                print("chunk", path.name, frame.number, chunk.offset, chunk.length, fingerprint.hex())

    segment_bytes = json.loads(config.split(b"\n")[0])["segmentBytes"]

    def restore(fingerprint, level, length):
        """The bytes below a node of the volume map."""
        if fingerprint is None:
            return bytes(length)
        child = 1 if level == 0 else segment_bytes * FANOUT ** (level - 1)
        volume = b""
        for entry in method("node", chunks[bytes(fingerprint)], level, -(-length // child)):
            if level == 0:
                volume += bytes(entry.count) if entry.fingerprint is None else chunks[bytes(entry.fingerprint)]
                continue
            for _ in range(entry.count):
                volume += restore(entry.fingerprint, level - 1, min(child, length - len(volume)))
        return volume

    for path in sorted(root.glob("backups/*")):
        manifest = json.loads(method("manifest", f"backups/{path.name}", path.read_bytes()))
        top = manifest["root"]
        fingerprint = None if top["fingerprint"] is None else bytes.fromhex(top["fingerprint"])
        volume = restore(fingerprint, top["level"], manifest["volumeBytes"])
        print("backup", path.name, len(volume), hashlib.sha256(volume).hexdigest())


if __name__ == "__main__":
    main(*sys.argv[1:])
