"""Tab mode: every wei from the purchase to the hosts' withdrawals."""
import json
import pathlib

from . import chain, web
from .mitm import lying_rpc
from .harness import check, equal, test, wait_until
from .stack import Stack


def receipt_of(path: pathlib.Path) -> dict:
    return json.loads(path.read_text())["receipt"]["receipt"]


def mode_of(path: pathlib.Path) -> str:
    return json.loads(path.read_text())["receipt"]["transcript"]["mode"]


def settled(s: Stack, receipts: list[dict], seconds: float = 60) -> list[dict]:
    """Waits until the gateway says that each is mined; its answers, in order."""
    hashes = [r["hash"] for r in chain.ask(s, "receipts", receipts=receipts)]

    def all_mined():
        answers = [web.get(f"{s.up['gateway']}/v1/teetee/receipts/{h}") for h in hashes]
        return answers if all(a.status == 200 and a.json["status"] == "mined" for a in answers) else None
    return [a.json for a in wait_until(f"{len(hashes)} receipts are mined", all_mined, seconds, every=1)]


def conservation(snapshot: chain.Snapshot) -> None:
    deposits, withdrawn = snapshot.total("Bought"), snapshot.total("Withdrawn")
    parts = snapshot.liabilities()
    equal(sum(parts.values()), deposits - withdrawn, f"{parts} against deposits {deposits} - withdrawals {withdrawn}")
    equal(snapshot.held, deposits - withdrawn, "what the Ledger holds")


@test("money.cost_to_the_wei", limit=90)
def cost_is_tokens_times_price(s: Stack):
    terms = chain.ask(s, "terms", model=s.up["model"]["id"])
    price_in, price_out = int(terms["priceIn"]), int(terms["priceOut"])
    check(price_in > 0 and price_out > 0, "the model is free")
    for tokens in (1, 7, 33):
        answer = s.chat(f"Say {tokens} words.", max_tokens=tokens)
        usage = answer.json["usage"]
        cost = usage["prompt_tokens"] * price_in + usage["completion_tokens"] * price_out
        receipt = receipt_of(s.bundle_of(answer))
        equal((receipt["tokens_in"], receipt["tokens_out"]), (usage["prompt_tokens"], usage["completion_tokens"]), "tokens of the receipt")
        equal(int(receipt["cost"]), cost, "cost of the receipt")
        equal(int(answer.headers["x-teetee-cost"]), cost, "x-teetee-cost")


@test("money.streams_name_their_receipt")
def stream_ends_with_the_receipt(s: Stack):
    answer = s.chat("Count to three.", stream=True, max_tokens=6)
    lines = [line for line in answer.text.splitlines() if line]
    equal(lines[-1], "data: [DONE]", "last line")
    words = lines[-2].split()
    equal(words[:3], [":", "teetee", "receipt"], "the comment before [DONE]")
    path = s.receipts / (words[3] if words[3].endswith(".json") else words[3] + ".json")
    equal(words[4:], ["cost", receipt_of(path)["cost"], "wei"], "cost in the comment")


@test("money.settled_and_conserved", limit=120)
def all_receipts_reach_the_chain(s: Stack):
    s.chat("One more answer, so that there is something to settle.")
    paths = s.bundles()
    receipts = [receipt_of(p) for p in paths]
    proofs = settled(s, receipts)
    tabs = [i for i, p in enumerate(paths) if mode_of(p) == "tab"]
    check(tabs, "no receipt of tab mode")
    found = chain.ask(s, "receipts", receipts=[receipts[i] for i in tabs], proofs=[proofs[i] for i in tabs])
    for i, item in zip(tabs, found):
        check(item["included"], f"{paths[i].name}: the Ledger does not confirm the gateway's proof")
    conservation(chain.Snapshot(s))


@test("money.users_are_charged_what_they_used", limit=90)
def tab_is_charged_the_sum_of_receipts(s: Stack):
    user = chain.ask(s, "address", key_file=s.key_file("user"))["address"]
    line = receipt_of(s.bundle_of(s.chat("Hello.")))["line"]

    def charged():
        mine = [receipt_of(p) for p in s.bundles() if mode_of(p) == "tab"]
        used = sum(int(r["cost"]) for r in mine if r["line"] == line)
        spent = sum(int(v["spent"]) for v in last_per_epoch(chain.Snapshot(s), user, line))
        return used == spent and used > 0
    wait_until("the tab is charged exactly the sum of its receipts", charged, 60, every=1)


def last_per_epoch(snapshot: chain.Snapshot, user: str, line: str) -> list[dict]:
    """The last charge of each epoch of a tab."""
    out = {}
    for event in snapshot.events("Charged"):
        if event["user"].lower() == user.lower() and event["line"].lower() == line.lower():
            out[event["epoch"]] = event
    return list(out.values())


def by_prefix(amount: int, up_to: list[int]) -> list[int]:
    """Each slot's part: differences of floored prefix sums, so that they add up to the amount."""
    sums = [0] + [amount * u // up_to[-1] for u in up_to]
    return [b - a for a, b in zip(sums, sums[1:])]


@test("money.shares_by_layers", limit=90)
def every_payment_is_split_by_layers(s: Stack):
    manifest = json.loads(json.loads(s.bundle_of(s.chat("Hi.")).read_text())["manifest"])
    shares = [slot["share"] for slot in manifest["slots"]]
    equal(shares, [slot["block_count"] for slot in manifest["slots"]], "shares and blocks of the manifest")
    up_to = chain.ask(s, "terms", model=s.up["model"]["id"])["upTo"]
    equal(up_to, [sum(shares[: i + 1]) for i in range(len(shares))], "prefix sums of the shares on chain")
    snapshot = chain.Snapshot(s)
    slot_of = {e["key"].lower(): e["slot"] for e in snapshot.events("NodeJoined")}  # replicas too
    payments: dict[str, dict] = {}
    for event in snapshot.raw["events"]:
        entry = payments.setdefault(event["tx"], {"sum": 0, "slots": [0] * len(shares)})
        if event["name"] == "Batched":
            entry["sum"] += int(event["args"]["amount"])
        elif event["name"] == "Served":
            entry["sum"] += int(event["args"]["r"]["cost"])
        elif event["name"] == "Earned":
            entry["slots"][slot_of[event["args"]["key"].lower()]] += int(event["args"]["amount"])
    paid = [p for p in payments.values() if p["sum"]]
    check(paid, "nothing was paid yet")
    for payment in paid:
        equal(payment["slots"], by_prefix(payment["sum"], up_to), f"parts of {payment['sum']} wei")


def host_accounts(s: Stack) -> dict[str, str]:
    """Role of a host's key -> address."""
    return {role: chain.ask(s, "address", key_file=path)["address"] for role, path in s.up["keys"].items() if role.startswith("host")}


@test("money.hosts_withdraw", limit=150, logs=("chain",))
def hosts_collect_and_withdraw_all(s: Stack):
    settled(s, [receipt_of(s.bundle_of(s.chat("Pay the hosts.")))])
    for role, address in host_accounts(s).items():
        before = chain.Snapshot(s)
        wealth = int(web.rpc(s.up["rpc"], "eth_getBalance", address, "latest"), 16)
        done = s.teetee("host", "withdraw", "--key-file", s.key_file(role), "--rpc", s.up["rpc"], "--gateway", s.up["gateway"],
                        "--trust", s.trust, "--json")
        check(done.returncode == 0, f"host withdraw for {role} ended with {done.returncode}: {done.stderr.strip()[-300:]}")
        after = chain.Snapshot(s)
        withdrawn = after.total("Withdrawn") - before.total("Withdrawn")
        earned = sum(int(e["amount"]) for e in after.events("Collected") if e["host"].lower() == address.lower())
        taken = sum(int(e["amount"]) for e in after.events("Withdrawn") if e["user"].lower() == address.lower())
        check(withdrawn > 0, f"{role} withdrew nothing")
        equal((taken, after.balance(address)), (earned, 0), f"{role}: withdrawn against collected, and what is left")
        richer = int(web.rpc(s.up["rpc"], "eth_getBalance", address, "latest"), 16) - wealth
        check(0 < withdrawn - richer < 10**16, f"{role}: {withdrawn} wei withdrawn, {richer} more in the wallet: the rest is no plausible gas")
        conservation(after)


@test("money.no_credit", limit=90)
def without_credit_nothing_is_computed(s: Stack):
    before = s.rows()
    with s.own_proxy(key=chain.own_key(s, "poor", eth=0)) as proxy:
        answer = s.chat("Hello.", url=proxy.url, timeout=60)
        equal(answer.status, 402, f"status ({answer.text[:200]})")
        equal(answer.error.get("type"), "insufficient_quota", "error type")
        check(not list(proxy.receipts.glob("*.json")), "there is a receipt for a refused query")
    equal(s.rows(), before, "rows computed")


@test("money.head_believes_its_own_chain", limit=120)
def head_refuses_what_a_false_chain_covers(s: Stack):
    """The client's RPC says that the tab is rich. The client signs; the head asks its own chain, and refuses before it computes."""
    selector = chain.ask(s, "selector", function="tab(address,bytes32)")["selector"]
    with lying_rpc(s.up["rpc"], selector) as (url, lies):
        with s.own_proxy(key=chain.own_key(s, "deceived"), rpc=url, extra=("--top-up", "0.0000001")) as proxy:
            check(s.chat("Hi.", url=proxy.url, max_tokens=1).content is not None, "no answer from an honest tab")
            before, unpaid = s.rows(), s.metric(0, "teetee_unpaid_total")
            lies.append(10**18)
            answer = s.chat("Hi.", url=proxy.url, max_tokens=1000, timeout=60)
    equal((answer.status, answer.error.get("type")), (402, "insufficient_quota"), f"the refusal ({answer.text[:300]})")
    check(s.metric(0, "teetee_unpaid_total") > unpaid, "the refusal did not come from the head")
    equal(s.rows(), before, "rows computed")
