"""The refund of a query that was never served. Late in the order, since its deadline takes two minutes from strict.opens."""
from . import chain
from .harness import check, equal, test, wait_until
from .money import conservation
from .stack import Stack
from .strict import MAX_COST, unserved


@test("strict.refund", limit=200, logs=("chain",))
def unserved_query_is_refunded(s: Stack):
    query = unserved(s)
    user = query["query"]["user"]
    before = chain.Snapshot(s).balance(user)

    def refunded():
        result = chain.ask(s, "refund", key_file=query["key"], query=query["query"])
        check(result["status"] == "success" or result["error"] == "TooEarly", f"refund: {result}")
        return result["status"] == "success"
    wait_until("the deadline is over and the refund goes through", refunded, 180, every=2)
    after = chain.Snapshot(s)
    equal(after.balance(user) - before, MAX_COST, "what came back")
    equal(chain.ask(s, "refund", key_file=query["key"], query=query["query"])["error"], "NotOpen", "a second refund")
    conservation(after)
