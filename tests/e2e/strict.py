"""Strict mode, and the end of a tab."""
import json

from . import chain
from .harness import check, equal, test, wait_until
from .money import conservation, receipt_of
from .stack import Stack

MAX_COST = 10**15  # wei
MARGIN = 8         # seconds beyond the model's timeout


def unserved(s: Stack) -> dict:
    """A query that stands open and that nobody was asked to serve. Opened once, early: its deadline takes two minutes."""
    if "unserved" not in s.notes:
        timeout = chain.ask(s, "terms", model=s.up["model"]["id"])["timeout"]
        key = chain.own_key(s, "unserved")
        head = next(n["key"] for n in s.up["nodes"] if n["slot"] == 0)
        opened = chain.ask(s, "open", key_file=key, model=s.up["model"]["id"], head=head, max_cost=str(MAX_COST), seconds=timeout + MARGIN)
        s.notes["unserved"] = {"key": key, **opened}
    return s.notes["unserved"]


@test("strict.opens", limit=60, logs=("chain",))
def an_open_query_holds_its_money(s: Stack):
    query = unserved(s)
    equal(query["status"], "success", "opening")
    snapshot = chain.Snapshot(s)
    equal(snapshot.record(query["id"]), chain.OPEN, "record")
    check(snapshot.open_queries() >= MAX_COST, "the open query is not counted")
    conservation(snapshot)
    equal(chain.ask(s, "refund", key_file=query["key"], query=query["query"])["error"], "TooEarly", "refund before the deadline")


@test("strict.served", limit=150)
def answer_is_recorded_on_chain(s: Stack):
    key = chain.own_key(s, "strict")
    with s.own_proxy(key=key, extra=("--pay", "strict")) as proxy:
        answer = s.chat("Hello.", url=proxy.url)
        check(answer.content, "the answer is empty")
        bundle = json.loads(s.bundle_of(answer, proxy.receipts).read_text())
    document = bundle["receipt"]
    equal(document["transcript"]["mode"], "strict", "mode")
    check(document["parts"] and not document["work"], "a strict receipt carries parts, not work")
    receipt = document["receipt"]

    def recorded():
        item = chain.ask(s, "receipts", receipts=[receipt])[0]
        return item["record"] == item["hash"]
    wait_until("the Ledger's record of the query is the receipt's hash", recorded, 60, every=1)
    snapshot = chain.Snapshot(s)
    served = [e for e in snapshot.events("Served") if e["query"] == receipt["query"]]
    equal([int(e["r"]["cost"]) for e in served], [int(receipt["cost"])], "cost in the event")
    conservation(snapshot)


@test("strict.closes_a_tab", limit=150)
def closing_returns_the_rest(s: Stack):
    key = chain.own_key(s, "closing")
    user = chain.ask(s, "address", key_file=key)["address"]
    with s.own_proxy(key=key) as proxy:
        receipt = receipt_of(s.bundle_of(s.chat("Hello.", url=proxy.url), proxy.receipts))
        before = chain.Snapshot(s)
        tab = before.tab(user, receipt["line"])
        check(tab and tab["funded"] > 0, "the proxy opened no tab")
        done = s.teetee("credits", "close", "--proxy", proxy.url, "--json", timeout=100)
        check(done.returncode == 0, f"credits close ended with {done.returncode}: {done.stderr.strip()[-300:]}")

    def closed():
        return [e for e in chain.Snapshot(s).events("TabClosed") if e["user"].lower() == user.lower()]
    event = wait_until("the tab is closed", closed, 60, every=1)[0]
    after = chain.Snapshot(s)
    funded = sum(int(e["amount"]) for e in after.events("TabFunded") if e["user"].lower() == user.lower())
    equal(int(event["rest"]), funded - int(receipt["cost"]), "rest of the tab")
    equal(after.tab(user, receipt["line"])["funded"], 0, "tab after closing")
    check(after.balance(user) >= int(event["rest"]), "the rest is not in the user's balance")
    conservation(after)
