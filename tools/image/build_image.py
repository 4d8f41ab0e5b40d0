#!/usr/bin/env python3
"""A container image of teetee-node as an OCI layout, the same bytes for the same inputs. A DEVELOPMENT image: built from this machine's
program and libraries, measured by nobody, and able to make simulated evidence. docs/design/0008-pages.md.

usage: build_image.py --program build/bin/teetee-node --out build/image [--name localhost/teetee-node]
Prints name@sha256:DIGEST of the manifest. Unchanged inputs are not packed again."""
import argparse
import hashlib
import io
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tarfile

LIBRARY = re.compile(r"^\s*(?:\S+ => )?(/\S+) \(0x[0-9a-f]+\)$")
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar"
NOTICE = "DEVELOPMENT image: not measured, makes simulated evidence; it protects nothing.\n"


def libraries(program: pathlib.Path) -> list[pathlib.Path]:
    """What the loader would map, the loader included, where it would look for it."""
    done = subprocess.run(["ldd", program], capture_output=True, text=True, check=False)
    if "not found" in done.stdout:
        raise SystemExit(f"image: {program} misses a library:\n{done.stdout}")
    found = [pathlib.Path(match[1]) for line in done.stdout.splitlines() if (match := LIBRARY.match(line))]
    if not found and "statically linked" not in done.stdout and "not a dynamic executable" not in done.stderr:
        raise SystemExit(f"image: ldd says nothing of {program}: {done.stderr.strip()}")
    return sorted(found)


def layer_tar(files: dict[str, bytes]) -> bytes:
    """Folders and files, sorted, of nobody and of no time. Programs and libraries may be executed, by anyone."""
    folders = {str(parent) for name in files for parent in pathlib.PurePosixPath(name).parents} - {"."}
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name in sorted(folders | files.keys()):
            entry = tarfile.TarInfo(name)
            entry.mode = 0o755
            entry.mtime = 0
            if name in files:
                entry.size = len(files[name])
                tar.addfile(entry, io.BytesIO(files[name]))
            else:
                entry.type = tarfile.DIRTYPE
                tar.addfile(entry)
    return out.getvalue()


class Layout:
    """An OCI image layout (image-spec 1.0) in memory."""

    def __init__(self):
        self.blobs: dict[str, bytes] = {}

    def put(self, media_type: str, content: bytes) -> dict:
        digest = hashlib.sha256(content).hexdigest()
        self.blobs[digest] = content
        return {"mediaType": media_type, "digest": f"sha256:{digest}", "size": len(content)}

    def put_json(self, media_type: str, value: dict) -> dict:
        return self.put(media_type, json.dumps(value, sort_keys=True, separators=(",", ":")).encode())

    def write(self, folder: pathlib.Path, manifest: dict) -> None:
        shutil.rmtree(folder, ignore_errors=True)
        blobs = folder / "blobs/sha256"
        blobs.mkdir(parents=True)
        for digest, content in self.blobs.items():
            (blobs / digest).write_bytes(content)
        (folder / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')
        (folder / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [manifest]}, sort_keys=True))


def pack(program: pathlib.Path) -> tuple[Layout, dict]:
    files = {"teetee-node": program.read_bytes(), "DEVELOPMENT": NOTICE.encode()}
    for path in libraries(program):
        files[str(path).lstrip("/")] = path.read_bytes()
    layer = layer_tar(files)
    layout = Layout()
    labels = {"org.opencontainers.image.title": "teetee-node", "org.opencontainers.image.description": NOTICE.strip(), "teetee.development": "true"}
    config = {
        "architecture": "amd64",
        "os": "linux",
        "config": {"Entrypoint": ["/teetee-node"], "User": "65532:65532", "WorkingDir": "/", "Labels": labels},
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(layer).hexdigest()}"]},
    }
    manifest = {"schemaVersion": 2, "mediaType": MANIFEST, "annotations": labels, "config": layout.put_json(CONFIG, config), "layers": [layout.put(LAYER, layer)]}
    return layout, layout.put_json(MANIFEST, manifest)


def stamp(program: pathlib.Path) -> str:
    """Changes whenever an input does, without reading it."""
    parts = [pathlib.Path(__file__), program, *libraries(program)]
    return json.dumps([[str(p), p.stat().st_size, p.stat().st_mtime_ns] for p in parts])


def build(program: pathlib.Path, out: pathlib.Path) -> str:
    """Digest of the image's manifest."""
    seen, now = out / ".stamp.json", stamp(program)
    if seen.exists():
        known = json.loads(seen.read_text())
        if known["inputs"] == now:
            return known["digest"]
    layout, manifest = pack(program)
    layout.write(out, manifest)
    seen.write_text(json.dumps({"inputs": now, "digest": manifest["digest"]}))
    return manifest["digest"]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", type=pathlib.Path, required=True)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--name", default="localhost/teetee-node")
    args = parser.parse_args()
    if not args.program.is_file():
        raise SystemExit(f"image: {args.program} is not there: ./dev build")
    print(f"{args.name}@{build(args.program, args.out)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
