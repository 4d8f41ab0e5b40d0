"""How a test is declared and run: one function, a time limit, a reason when it fails."""
import signal
import sys
import time
import traceback
from dataclasses import dataclass
from typing import Callable

from .stack import Stack

LOG_LINES = 15


class Failed(Exception):
    """What was looked for did not hold."""


class Skip(Exception):
    """This machine cannot run the test; the text says why."""


class TooLong(BaseException):
    """The time limit of a test. Not an Exception, so that no test swallows it."""


@dataclass
class Test:
    name: str
    run: Callable[[Stack], None]
    limit: int  # seconds
    logs: tuple[str, ...]  # processes whose logs help when it fails


_tests: list[Test] = []


def test(name: str, limit: int = 60, logs: tuple[str, ...] = ("proxy", "gateway", "node-0")):
    def declare(function):
        _tests.append(Test(name, function, limit, logs))
        return function
    return declare


def all_tests() -> list[Test]:
    return _tests


def check(condition, text: str) -> None:
    if not condition:
        raise Failed(text)


def equal(found, wanted, what: str) -> None:
    if found != wanted:
        raise Failed(f"{what}: found {shorten(found)}, expected {shorten(wanted)}")


def contains(text: str, part: str, what: str) -> None:
    if part not in text:
        raise Failed(f"{what}: '{part}' is not in: {shorten(text)}")


def shorten(value, most: int = 600) -> str:
    text = repr(value)
    return text if len(text) <= most else text[: most - 3] + "..."


def wait_until(what: str, probe, seconds: float, every: float = 0.25):
    """Calls probe until it gives something true; its exceptions count as not yet, and the last one is told."""
    end, last = time.monotonic() + seconds, None
    while time.monotonic() < end:
        try:
            value = probe()
            if value:
                return value
        except Exception as error:  # noqa: BLE001 the probe may meet anything while things start
            last = error
        time.sleep(every)
    raise Failed(f"{what}: not within {seconds:.0f} s" + (f" (last: {shorten(str(last))})" if last else ""))


def _alarm(_signal, _frame):
    raise TooLong()


def _reason(error: BaseException) -> str:
    if isinstance(error, Failed):
        return str(error)
    where = [f for f in traceback.extract_tb(error.__traceback__) if "e2e" in f.filename]
    at = f" at {where[-1].filename.rsplit('/', 1)[-1]}:{where[-1].lineno}" if where else ""
    return f"{type(error).__name__}{at}: {shorten(str(error))}"


def run_one(item: Test, stack: Stack) -> str:
    """'ok', 'FAIL' or 'skip', printed with what belongs to it."""
    began = time.monotonic()
    signal.signal(signal.SIGALRM, _alarm)
    signal.alarm(item.limit)
    try:
        item.run(stack)
    except Skip as why:
        print(f"skip {item.name}: {why}", flush=True)
        return "skip"
    except TooLong:
        return _fail(item, stack, f"did not end within {item.limit} s")
    except Exception as error:  # noqa: BLE001 any failure is a failed test
        return _fail(item, stack, _reason(error))
    finally:
        signal.alarm(0)
    print(f"ok {item.name} ({time.monotonic() - began:.1f}s)", flush=True)
    return "ok"


def _fail(item: Test, stack: Stack, reason: str) -> str:
    print(f"FAIL {item.name}\n  {reason}")
    for name in item.logs:
        tail = stack.log_tail(name, LOG_LINES)
        if tail:
            print(f"  -- log of {name}\n" + "\n".join("  | " + line[:300] for line in tail))
    sys.stdout.flush()
    return "FAIL"
