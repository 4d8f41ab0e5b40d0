"""A stack of binaries with sealing switched off (preset leak), so that the capture can be seen to find something."""
import contextlib
import pathlib
import subprocess

from .stack import ROOT, Stack

BUILD = ROOT / "build/leak"
HOME = BUILD / "home"
PORT_BASE = 19080


def _run(argv: list, seconds: int) -> None:
    done = subprocess.run(list(map(str, argv)), cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, timeout=seconds, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(map(str, argv[:4]))} ended with {done.returncode}: {done.stdout[-1500:]}")


def build() -> pathlib.Path:
    if not (BUILD / "build.ninja").exists():
        _run(["cmake", "--preset", "leak"], 300)
    _run(["ninja", "-C", BUILD, "teetee", "teetee-node", "teetee-gateway"], 3000)
    return BUILD / "bin"


@contextlib.contextmanager
def running():
    binaries = build()
    where = ["--home", HOME]
    _run(["node", "tools/up/up.mjs", "up", "--detach", "--port-base", PORT_BASE, "--bin", binaries, *where], 400)
    try:
        stack = Stack(HOME, binaries)
        if not stack.load():
            raise RuntimeError("the stack without sealing does not run")
        yield stack
    finally:
        _run(["node", "tools/up/up.mjs", "down", *where], 60)
