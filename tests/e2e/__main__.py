"""python -m tests.e2e [FILTER | --list]: runs the end-to-end tests; see README.md."""
import subprocess
import sys

from . import harness
from .stack import PORT_BASE, ROOT, Stack

# Each import declares its tests; this is the order in which they run. `updown` stops the stack, so it is the last.
from . import openai_python, openai_node, page_client, same_bits, money, strict, bundles, refusals, meddling, leak, refund, faults, pages, hosting, updown  # noqa: F401, E401


def choose(pattern: str) -> list[harness.Test]:
    everything = pattern in "e2e"  # `./dev test e2e` names the suite, not a test
    return [t for t in harness.all_tests() if everything or pattern in t.name]


def bring_up(stack: Stack) -> bool:
    """True when it was started here."""
    if stack.load():
        return False
    done = subprocess.run(["./dev", "up", "--detach", "--port-base", str(PORT_BASE)], cwd=ROOT, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=3600, check=False)
    if done.returncode != 0 or not stack.load():
        print(done.stdout[-4000:])
        raise RuntimeError(f"./dev up --detach ended with {done.returncode}")
    return True


def main() -> int:
    args = sys.argv[1:]
    if "--list" in args:
        print("\n".join(t.name for t in harness.all_tests()))
        return 0
    chosen = choose(args[0] if args else "")
    stack, started = Stack(), False
    results = []
    try:
        started = bring_up(stack)
        for item in chosen:
            results.append(harness.run_one(item, stack))
    except (RuntimeError, subprocess.TimeoutExpired) as error:
        print(f"FAIL up\n  {error}")
        results.append("FAIL")
    finally:
        if started:
            subprocess.run(["./dev", "down"], cwd=ROOT, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    counts = [results.count(word) for word in ("ok", "FAIL", "skip")]
    print("{} passed, {} failed, {} skipped".format(*counts))
    return 0 if counts[1] == 0 and counts[0] > 0 else 1


if __name__ == "__main__":
    sys.exit(main())
