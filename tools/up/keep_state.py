#!/usr/bin/env python3
"""Runs a chain that writes its state to a file in place, so that a kill in the middle of a write loses no more than that write.

usage: keep_state.py STATE COMMAND [ARGUMENT ...]

Becomes COMMAND (same process id). A child beside it copies STATE to STATE.whole after each write that is over, and ends with it. A STATE that
does not parse when this starts was cut short: the copy takes its place.
"""
import ctypes
import json
import os
import shutil
import signal
import sys
import time

EVERY = 0.1  # seconds; a write takes a few milliseconds each second
PR_SET_PDEATHSIG = 1  # <sys/prctl.h>


def is_whole(path: str) -> bool:
    try:
        with open(path, encoding="utf-8") as file:
            json.load(file)
        return True
    except (OSError, ValueError):
        return False


def restore(state: str, copy: str) -> None:
    if not os.path.exists(state) or is_whole(state):
        return
    if not is_whole(copy):
        sys.exit(f"keep_state: {state} was cut short, and there is no whole copy of it; `./dev down`, then `./dev up` without that folder starts a new chain")
    print(f"keep_state: {state} was cut short; its last whole copy takes its place", flush=True)
    os.replace(copy, state)


def version(path: str):
    try:
        at = os.stat(path)
        return (at.st_mtime_ns, at.st_size)
    except FileNotFoundError:
        return None


def ends_well(path: str) -> bool:
    with open(path, "rb") as file:
        file.seek(max(0, os.stat(path).st_size - 16))
        return file.read().rstrip().endswith(b"}")


def keep(state: str, copy: str, chain: int) -> None:
    """Copies what has not changed since the last look: a file under way does. Ends at the moment when the chain does."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    seen = kept = None
    while os.getppid() == chain:
        time.sleep(EVERY)
        now = version(state)
        if now and now == seen and now != kept and ends_well(state):
            try:
                shutil.copyfile(state, copy + ".part")
            except OSError as error:  # a full disk, say: tried again at the next write
                print(f"keep_state: no copy of {state}: {error}", flush=True)
            else:
                if version(state) == now:
                    os.replace(copy + ".part", copy)
            kept = now
        seen = now


def main() -> None:
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    state, command = sys.argv[1], sys.argv[2:]
    copy = state + ".whole"
    restore(state, copy)
    chain = os.getpid()
    if os.fork() == 0:
        try:
            keep(state, copy, chain)
        finally:
            os._exit(0)
    os.execvp(command[0], command)


if __name__ == "__main__":
    main()
