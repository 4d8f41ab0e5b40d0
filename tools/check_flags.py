#!/usr/bin/env python3
"""Holds every object of a build to docs/formats/numerics.md section 0. Exit 1 with one line per offence.

1. The last -ffp-contract on each command line is =off, and nothing asks for fast maths or another instruction set globally.
2. An object compiled for a newer instruction set defines no weak function: the linker could keep that copy of an inline function
   and older machines would crash in code that has nothing to do with it.

usage: check_flags.py [BUILD_DIR]   (default: build)
"""
import json
import pathlib
import re
import shlex
import subprocess
import sys

FORBIDDEN = ("-Ofast", "-ffast-math", "-funsafe-math-optimizations", "-fassociative-math", "-freciprocal-math",
             "-march=native", "-mfpmath=387", "-fno-signed-zeros", "-ffinite-math-only")
ISA_FLAG = re.compile(r"^-m(avx|fma|f16c|sse[34]|amx)|^-march=")
# nm: weak function, unique global.
WEAK = re.compile(r"^[0-9a-f]+ [Wu] ")


def project_entries(build: pathlib.Path):
    root = pathlib.Path(__file__).resolve().parent.parent
    for entry in json.loads((build / "compile_commands.json").read_text()):
        source = pathlib.Path(entry["directory"], entry["file"]).resolve()
        if root in source.parents and source.suffix in (".cc", ".c", ".cpp"):
            yield source.relative_to(root), entry


def arguments(entry) -> list[str]:
    return entry.get("arguments") or shlex.split(entry["command"])


def flag_offences(args: list[str]) -> list[str]:
    bad = [f"has {flag}" for flag in FORBIDDEN if flag in args]
    contract = [a for a in args if a.startswith("-ffp-contract=")]
    if not contract:
        bad.append("lacks -ffp-contract=off")
    elif contract[-1] != "-ffp-contract=off":
        bad.append(f"ends with {contract[-1]}")
    return bad


def weak_functions(entry, args: list[str]) -> list[str]:
    if not any(ISA_FLAG.match(a) for a in args):
        return []
    out = pathlib.Path(entry["directory"], args[args.index("-o") + 1])
    if not out.exists():
        return []
    symbols = subprocess.run(["nm", "-C", out], capture_output=True, text=True, check=True).stdout
    return [f"compiled for a newer instruction set, yet defines {line[19:]}" for line in symbols.splitlines()
            if WEAK.match(line)]


def main() -> int:
    build = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else "build")
    count = 0
    bad = []
    for source, entry in project_entries(build):
        count += 1
        args = arguments(entry)
        bad += [f"{source}: {offence}" for offence in flag_offences(args) + weak_functions(entry, args)]
    if count == 0:
        bad.append(f"{build}/compile_commands.json names no source of this project")
    print("\n".join(bad) if bad else f"flags: {count} objects follow the rules")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
