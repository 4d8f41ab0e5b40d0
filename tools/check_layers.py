#!/usr/bin/env python3
"""Refuses an include that goes up or sideways in the layer drawing of ARCHITECTURE.md. Exit 1 with one line per offence."""
import pathlib
import re
import sys

# module -> the modules whose headers it may include (base is open to all).
ALLOWED = {
    "base": set(),
    "crypto": set(),
    "manifest": {"crypto"},
    "ops": set(),
    "model": {"ops"},
    "engine": {"ops", "model"},
    "attest": {"crypto"},
    "net": set(),
    "transport": {"crypto", "attest", "net"},
    "chain": {"crypto", "net"},
    "protocol": {"crypto", "chain"},
    "pipeline": {"crypto", "protocol", "manifest", "ops", "model", "engine", "attest", "net", "transport", "chain"},
    "head": {"crypto", "protocol", "manifest", "ops", "model", "engine", "attest", "net", "transport", "chain", "pipeline"},
    "bench": {"ops", "model", "engine", "pipeline"},
    "client": {"crypto", "protocol", "manifest", "attest", "net", "chain"},
    "pages": {"crypto", "net"},
    "gateway": {"crypto", "protocol", "manifest", "net", "pages", "chain"},
}
ROOT = pathlib.Path(__file__).resolve().parent.parent
INCLUDE = re.compile(r'^\s*#include\s+"([a-z_0-9]+)/')


def main() -> int:
    bad = []
    for path in sorted((ROOT / "src").rglob("*")):
        if path.suffix not in (".h", ".cc"):
            continue
        module = path.relative_to(ROOT / "src").parts[0]
        if module == "apps" or path.name.endswith("_test.cc"):
            continue
        if module not in ALLOWED:
            bad.append(f"{path.relative_to(ROOT)}: module '{module}' is not in the drawing")
            continue
        for number, line in enumerate(path.read_text().splitlines(), 1):
            match = INCLUDE.match(line)
            if match and match[1] not in ALLOWED[module] | {module, "base"}:
                bad.append(f"{path.relative_to(ROOT)}:{number}: {module} may not include {match[1]}")
    print("\n".join(bad) if bad else "layers: every include goes down")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
