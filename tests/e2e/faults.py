"""Each process killed once and started again: clear errors meanwhile, healing afterwards, no receipt and no wei lost."""
import http.client
import os
import time

from . import chain
from .bundles import verify
from .harness import check, equal, test, wait_until
from .money import conservation, receipt_of, settled, tab_is_charged_the_sum_of_receipts
from .stack import Stack

PATIENCE = 20  # seconds within which a request must have an answer, whatever is dead
HEALS = 60     # seconds from the restart to the next chat


def answered(s: Stack) -> bool:
    """One chat: true when it was served; a clear error otherwise, or the test fails."""
    began = time.monotonic()
    try:
        answer = s.chat("Still there?", max_tokens=4, timeout=PATIENCE)
    except TimeoutError:
        check(False, f"a request hung for more than {PATIENCE} s")
    except (OSError, http.client.HTTPException) as error:
        check(not s.is_running("proxy"), f"the proxy runs, but its connection failed: {type(error).__name__}: {error}")
        return False  # nobody listens: as clear as it gets
    check(time.monotonic() - began < PATIENCE, "the answer took too long")
    if answer.status == 200:
        s.notes.setdefault("receipts", []).append(s.bundle_of(answer).name)
        return True
    check(answer.status >= 400 and answer.error.get("message") and answer.error.get("type"), f"no OpenAI error object: HTTP {answer.status} {answer.text[:200]}")
    return False


def kill_and_heal(s: Stack, name: str, must_fail: bool = True, meanwhile=lambda: None) -> None:
    check(answered(s), "no chat before the fault")
    others = [n for n in s.up["processes"] if n != name]
    s.kill(name)
    served = [answered(s) for _ in range(3)]
    check(not (must_fail and any(served)), f"{name} is dead, and a request was served")
    equal([n for n in others if not s.is_running(n)], [], f"processes that died with {name}")
    meanwhile()
    s.start_again(name)
    wait_until(f"chats work again after {name} was restarted", lambda: answered(s), HEALS, every=1)
    equal([n for n in s.up["processes"] if not s.is_running(n)], [], "processes that do not run")


@test("faults.head", limit=200, logs=("proxy", "gateway", "node-0"))
def head_is_killed(s: Stack):
    kill_and_heal(s, "node-0")


@test("faults.stage", limit=200, logs=("proxy", "node-0", "node-1"))
def later_stage_is_killed(s: Stack):
    kill_and_heal(s, "node-1")


@test("faults.gateway", limit=200, logs=("proxy", "gateway"))
def gateway_is_killed(s: Stack):
    kill_and_heal(s, "gateway")


@test("faults.proxy", limit=200, logs=("proxy",))
def proxy_is_killed(s: Stack):
    kill_and_heal(s, "proxy")


@test("faults.chain", limit=200, logs=("proxy", "gateway", "node-0", "chain"))
def chain_is_killed(s: Stack):
    kill_and_heal(s, "chain", must_fail=False)  # what needs no chain may go on


@test("faults.chain_in_the_middle_of_a_write", limit=200, logs=("gateway", "chain"))
def chain_is_killed_while_it_writes(s: Stack):
    """Its state file is cut short, as a kill at the wrong moment leaves it; the last whole one takes its place."""
    state = s.home / "chain/state.json"
    kill_and_heal(s, "chain", must_fail=False, meanwhile=lambda: os.truncate(state, state.stat().st_size // 2))


@test("faults.in_the_middle", limit=200, logs=("proxy", "node-0", "node-1"))
def stage_dies_in_the_middle_of_an_answer(s: Stack):
    """The stream ends with an error, not with silence; what was not delivered is not charged."""
    import threading
    before = len(s.bundles())
    killer = threading.Timer(1.5, lambda: s.kill("node-1"))
    killer.start()
    try:
        answer = s.chat("Write a very long story about a ship.", max_tokens=1000, stream=True, timeout=PATIENCE + 20)
        text = answer.text
    except http.client.HTTPException:
        text = ""
    killer.join()
    s.start_again("node-1")
    if "[DONE]" in text:
        equal(len(s.bundles()), before + 1, "bundles after an answer that was complete before the kill")
    else:
        check('"error"' in text, f"the stream broke off without an error: {text[-300:]!r}")
        equal(len(s.bundles()), before, "bundles of a broken answer")
    wait_until("chats work again", lambda: answered(s), HEALS, every=1)


@test("faults.nothing_is_lost", limit=400, logs=("proxy", "gateway", "node-0"))
def every_receipt_stands_and_every_wei_is_there(s: Stack):
    check(answered(s), "no chat after the faults")
    paths = s.bundles()
    names = {p.name for p in paths}
    equal([n for n in s.notes.get("receipts", []) if n not in names], [], "receipts that were given out and are gone")
    settled(s, [receipt_of(p) for p in paths], seconds=120)

    def all_verify():
        bad = [p.name for p in paths if verify(s, p, "--rpc", s.up["rpc"])[0] != 0]
        check(not bad, f"{len(bad)} of {len(paths)} receipts do not verify on chain, such as {bad[:3]}")
        return True
    wait_until("every receipt verifies on chain", all_verify, 90, every=5)
    conservation(chain.Snapshot(s))


@test("faults.nothing_is_charged_in_vain", limit=120, logs=("proxy", "node-0"))
def the_user_paid_for_what_was_delivered(s: Stack):
    """Answers that the client refused, or that broke off, must not be among the charges."""
    tab_is_charged_the_sum_of_receipts(s)
