"""A gateway that changes what it relays: each change is refused with the name of a check, and no prompt is sealed for a false plan."""
import base64
import json

from . import chain, web
from .harness import check, contains, equal, test
from .mitm import between
from .stack import Stack


def lie(s: Stack, change, names: tuple[str, ...]) -> None:
    with between(s.up["gateway"], change=change) as (url, mitm):
        with s.own_proxy(gateway=url) as proxy:
            said = proxy.log()
            if proxy.child.poll() is None:
                answer = s.chat("Hello.", url=proxy.url, timeout=60)
                check(answer.status >= 400, "the request was answered")
                said = answer.error.get("message", "")
        check(mitm.changed > 0, f"the meddling changed nothing; what was asked: {mitm.paths}")
        check(any(f"check {n}:" in said for n in names), f"none of {names} is named: {said[-400:]}")
        equal(mitm.sealed, [], "sealed requests that went out")


def on_json(part: str, edit):
    """A change of JSON answers whose path holds `part`."""
    def change(path: str, body: bytes) -> bytes:
        if part not in path:
            return body
        value = json.loads(body)
        edit(value)
        return json.dumps(value).encode()
    return change


@test("meddling.manifest", limit=60)
def manifest_byte(s: Stack):
    def edit(value):
        value["manifest"] = value["manifest"].replace('"profile":1', '"profile":3')
    lie(s, on_json("/v1/teetee/models/", edit), ("model.manifest",))


@test("meddling.price", limit=60)
def price(s: Stack):
    def edit(value):
        value["params"]["price_in"] = str(int(value["params"]["price_in"]) * 2)
    lie(s, on_json("/v1/teetee/models/", edit), ("model.id",))


@test("meddling.weights", limit=60)
def weights_of_another_model(s: Stack):
    def edit(value):
        value["params"]["slots"].reverse()
    lie(s, on_json("/v1/teetee/models/", edit), ("model.id",))


@test("meddling.node_key", limit=60)
def node_outside_the_plan(s: Stack):
    """A stranger's key is listed; the evidence shown is an honest node's."""
    stranger = "0x" + "77" * 20
    honest = next(n["key"] for n in s.up["nodes"] if n["slot"] == 0)

    def edit(value):
        for node in value["nodes"]:
            if node["slot"] == 0:
                node["key"] = stranger

    def change(path: str, body: bytes) -> bytes:
        return on_json("/v1/teetee/nodes?", edit)(path, body)
    with between(s.up["gateway"], change=change) as (url, mitm):
        mitm_get = mitm.get
        mitm.get = lambda path: mitm_get(path.replace(stranger, honest))
        with s.own_proxy(gateway=url) as proxy:
            answer = s.chat("Hello.", url=proxy.url, timeout=60)
            check(answer.status >= 400, "the request was answered")
            contains(answer.error.get("message", ""), "check node.key:", "the reason")
        check(mitm.changed > 0, "the meddling changed nothing")
        equal(mitm.sealed, [], "sealed requests that went out")


@test("meddling.evidence_swap", limit=60)
def evidence_of_the_other_node(s: Stack):
    keys = [n["key"] for n in s.up["nodes"]]
    shown = {k: json.loads(web.get(f"{s.up['gateway']}/v1/teetee/nodes/{k}/evidence").body) for k in keys}

    def change(path: str, body: bytes) -> bytes:
        if not path.endswith("/evidence"):
            return body
        value = json.loads(body)
        other = next(k for k in keys if k.lower() not in path.lower())
        value["evidence"] = shown[other]["evidence"]
        return json.dumps(value).encode()
    lie(s, change, ("node.key", "node.model", "node.weights"))


@test("meddling.quote_bit", limit=60)
def one_bit_of_a_quote(s: Stack):
    def edit(value):
        raw = bytearray(base64.b64decode(value["evidence"]))
        raw[8 + 48 + 540] ^= 1  # within REPORTDATA or its neighbourhood: signed in any case
        value["evidence"] = base64.b64encode(raw).decode()
    lie(s, on_json("/evidence", edit), ("quote.signature", "report_data"))


# ---------------------------------------------------------------- sealed bytes

def with_changed_answer(s: Stack, answer) -> tuple[web.Answer | None, list]:
    with between(s.up["gateway"], answer=answer) as (url, mitm):
        with s.own_proxy(gateway=url, key=chain.own_key(s, "meddled")) as proxy:
            try:
                found = s.chat("Hello.", url=proxy.url, timeout=60)
            except Exception:  # noqa: BLE001 a broken-off connection is a refusal too
                found = None
            bundles = list(proxy.receipts.glob("*.json"))
        check(mitm.answers, "no sealed answer passed")
        return found, bundles


@test("meddling.answer", limit=90)
def changed_answer(s: Stack):
    def flip_one(stream: bytes) -> bytes:
        at = 36 + 4 + 20  # magic, nonce, length; into the first chunk
        return stream[:at] + bytes([stream[at] ^ 1]) + stream[at + 1:]
    found, bundles = with_changed_answer(s, flip_one)
    check(found is not None and found.status >= 400, "a changed answer was accepted")
    check(found.error.get("message"), f"no OpenAI error object: {found.text[:200]}")
    equal(bundles, [], "bundles of a changed answer")


@test("meddling.truncation", limit=90)
def answer_cut_off(s: Stack):
    found, bundles = with_changed_answer(s, lambda stream: stream[: len(stream) // 2])
    check(found is not None and found.status >= 400, "a cut-off answer was accepted")
    equal(bundles, [], "bundles of a cut-off answer")


@test("meddling.last_chunk", limit=90)
def answer_without_its_end(s: Stack):
    def drop_last(stream: bytes) -> bytes:
        at, last = 36, 36
        while at < len(stream):
            last, at = at, at + 4 + int.from_bytes(stream[at:at + 4], "little")
        return stream[:last]
    found, _ = with_changed_answer(s, drop_last)
    check(found is not None and found.status >= 400, "an answer without its final chunk was accepted")


# ---------------------------------------------------------------- replay

def record_one(s: Stack) -> tuple[bytes, bytes]:
    """A sealed request that was answered, and its answer, as a gateway saw them."""
    with between(s.up["gateway"]) as (url, mitm):
        with s.own_proxy(gateway=url, key=chain.own_key(s, "replayed")) as proxy:
            check(s.chat("Remember this.", url=proxy.url).content, "the answer is empty")
        asked = [(r, a) for r, a in zip(mitm.sealed, mitm.answers) if b'"path":"/v1/chat/completions"' in r]
    check(asked, "no sealed request passed")
    return asked[-1]


@test("meddling.replay", limit=120)
def replayed_request_costs_nothing(s: Stack):
    wire, answer = record_one(s)
    rows, served = s.rows(), s.served()
    again = web.post(s.up["gateway"] + "/v1/teetee/sealed", wire)
    check(again.status >= 400 or again.body == answer, "a replay got other bytes than the first answer")
    equal(s.rows(), rows, "rows computed for a replay")
    equal(s.served(), served, "requests served")


@test("meddling.replay_changed", limit=120)
def changed_replay_is_refused(s: Stack):
    wire, _ = record_one(s)
    rows, served = s.rows(), s.served()
    header = int.from_bytes(wire[4:8], "little")
    places = {"ciphertext": len(wire) - 30, "encapsulated key": 8 + header + 5, "header": 8 + wire[8:].index(b'"expires":') + 12}
    for what, at in places.items():
        changed = wire[:at] + bytes([wire[at] ^ 1]) + wire[at + 1:]
        found = web.post(s.up["gateway"] + "/v1/teetee/sealed", changed)
        check(found.status >= 400, f"{what} changed: HTTP {found.status}")
    fresh = wire[:len(wire) - 30] + bytes([wire[-30] ^ 1]) + wire[-29:]
    contains(web.post(s.up["gateway"] + "/v1/teetee/sealed", fresh).text, "request.replay", "the reason")
    equal(s.rows(), rows, "rows computed")
    equal(s.served(), served, "requests served")
