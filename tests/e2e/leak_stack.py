"""A stack with sealing switched off, so that the capture can be seen to find something.

Only protocol/sealed.cc differs (TEETEE_UNSEALED), so nothing else is built again: its one object is put in front of the libraries of the
release build, with that build's own commands. A second build of everything would cost many minutes.
"""
import contextlib
import json
import pathlib
import subprocess

from .stack import ROOT, Stack

RELEASE = ROOT / "build"
BIN = RELEASE / "unsealed"
HOME = RELEASE / "unsealed-home"
PROGRAMS = ("teetee", "teetee-node", "teetee-gateway")
PORT_BASE = 19080


def _run(argv, seconds: int, folder: pathlib.Path = ROOT) -> str:
    shell = isinstance(argv, str)
    done = subprocess.run(argv if shell else list(map(str, argv)), shell=shell, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=seconds, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{argv if shell else argv[0]:.200} ended with {done.returncode}: {done.stdout[-1500:]}")
    return done.stdout


def build() -> pathlib.Path:
    BIN.mkdir(exist_ok=True)
    entries = json.loads((RELEASE / "compile_commands.json").read_text())
    entry = next(e for e in entries if e["file"].endswith("src/protocol/sealed.cc"))
    argv = entry["command"].split()
    unsealed = BIN / "sealed.cc.o"
    argv[argv.index("-o") + 1] = str(unsealed)
    _run([*argv, "-DTEETEE_UNSEALED=1"], 600, pathlib.Path(entry["directory"]))
    for program in PROGRAMS:
        link = _run(["ninja", "-C", RELEASE, "-t", "commands", f"bin/{program}"], 60).splitlines()[-1]
        changed = link.replace(f"-o bin/{program} ", f"-o {BIN}/{program} {unsealed} ")
        if changed == link:
            raise RuntimeError(f"the link command of {program} has another form: {link[:300]}")
        _run(changed, 300, RELEASE)
    return BIN


@contextlib.contextmanager
def running():
    where = ["--home", HOME]
    _run(["node", "tools/up/up.mjs", "up", "--detach", "--port-base", PORT_BASE, "--bin", build(), *where], 400)
    try:
        stack = Stack(HOME, BIN)
        if not stack.load():
            raise RuntimeError("the stack without sealing does not run")
        yield stack
    finally:
        _run(["node", "tools/up/up.mjs", "down", *where], 60)
