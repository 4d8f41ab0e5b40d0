"""A host's way in: a local node (`teetee host up`), the checks and relays of the pool service, the auditor, the host's own join, traffic,
earnings. And nodes that must not get in."""
import base64
import contextlib
import hashlib
import json
import pathlib
import shutil
import subprocess
import tempfile

from . import chain, web
from .harness import check, equal, test, wait_until
from .money import receipt_of, settled
from .stack import Stack


class LocalNode:
    def __init__(self, child: subprocess.Popen, facts: dict):
        self.child, self.facts = child, facts
        self.url, self.slot, self.key = facts["url"], facts["slot"], facts["key"]

    def metric(self, name: str) -> float:
        for line in web.get(self.url + "/metrics").text.splitlines():
            if line.startswith(name + " "):
                return float(line.split()[1])
        raise RuntimeError(f"no metric {name}")


@contextlib.contextmanager
def host_up(s: Stack, slot: int, account: str = "host2", *extra, more=()):
    argv = [s.bin / "teetee", "host", "up", "--home", s.home, "--slot", slot, "--account", account, "--json", *extra, *(("--", *more) if more else ())]
    child = subprocess.Popen(list(map(str, argv)), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        line = child.stdout.readline()
        check(line, f"host up ended: {child.poll()} {child.stderr.read()[-400:] if child.poll() is not None else ''}")
        yield LocalNode(child, json.loads(line))
    finally:
        child.terminate()
        try:
            child.wait(15)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def pool(s: Stack, what: str, body: dict) -> web.Answer:
    return web.post(f"{s.up['gateway']}/v1/teetee/pool/{what}", body, timeout=120)


def checks_of(s: Stack, url: str, slot: int, host: str) -> dict[str, dict]:
    """The last word on each check."""
    answer = pool(s, "check", {"url": url, "model": s.up["model"]["id"], "slot": slot, "host": host})
    equal(answer.status, 200, f"pool/check ({answer.text[:200]})")
    events = [json.loads(line[6:]) for line in answer.text.splitlines() if line.startswith("data: ")]
    equal(events[-1], {"done": True}, "the last event")
    return {e["check"]: e for e in events[:-1]}


def statuses(checks: dict[str, dict]) -> dict[str, str]:
    return {name: e["status"] for name, e in checks.items()}


def relay(s: Stack, url: str, path: str, body: bytes | None = None) -> web.Answer:
    return pool(s, "relay", {"url": url, "path": path, "body": base64.b64encode(body).decode() if body is not None else None})


def join_evidence(s: Stack, node: LocalNode) -> web.Answer:
    block = int(web.rpc(s.up["rpc"], "eth_blockNumber"), 16) - 1
    return relay(s, node.url, "/v1/teetee/join-evidence", json.dumps({"host": node.facts["host"], "block_number": block}).encode())


def join(s: Stack, node: LocalNode, account: str) -> None:
    evidence = join_evidence(s, node)
    equal(evidence.status, 200, f"join evidence ({evidence.text[:300]})")
    approval = pool(s, "approve", evidence.json)
    equal(approval.status, 200, f"approval ({approval.text[:300]})")
    equal(approval.json["reportData"], evidence.json["report_data"], "what the auditor signed")
    done = chain.ask(s, "join", key_file=s.key_file(account), model=s.up["model"]["id"], slot=node.slot, key=node.key, url=node.url,
                     quote=approval.json["quote"], block_number=approval.json["block_number"])
    equal(done["status"], "success", "the join transaction")


def is_live(s: Stack, node: LocalNode) -> bool:
    answer = web.get(f"{s.up['gateway']}/v1/teetee/nodes/{node.key}")
    return answer.status == 200 and answer.json["live"]


@test("hosting.refused", limit=150, logs=("gateway", "auditor"))
def nodes_that_must_not_get_in(s: Stack):
    host = chain.ask(s, "address", key_file=s.key_file("host2"))["address"].lower()
    dead = checks_of(s, "http://127.0.0.1:1", 1, host)
    equal(statuses(dead)["node.reachable"], "failed", "an address where nobody listens")
    check(dead["node.reachable"]["cure"], "no cure")
    equal(statuses(checks_of(s, "http://10.1.2.3:9100", 1, host))["node.address"], "failed", "a private address")
    stage = next(n for n in s.up["nodes"] if n["slot"] == 1)
    equal(statuses(checks_of(s, stage["url"], 0, host))["node.identity"], "failed", "a node of another slot")
    equal(statuses(checks_of(s, stage["url"], 1, "0x" + "11" * 20))["node.identity"], "failed", "a node of another host")
    with host_up(s, 1, "host2", more=("--simulated-debug",)) as node:
        refused = pool(s, "approve", join_evidence(s, node).json)
        equal((refused.status, refused.json["error"]["param"]), (403, "tdx.debug"), f"a debug quote ({refused.text[:200]})")
    folder = pathlib.Path(tempfile.mkdtemp(prefix="teetee-e2e-"))
    try:
        program = folder / "teetee-node"
        shutil.copy2(s.bin / "teetee-node", program)
        with open(program, "ab") as f:
            f.write(b"changed")
        with host_up(s, 1, "host2", "--program", program) as node:
            evidence = join_evidence(s, node).json
            refused = pool(s, "approve", evidence)
            equal((refused.status, refused.json["error"]["param"]), (403, "measurement"), f"another program ({refused.text[:200]})")
            evidence["weights"] = "0x" + "22" * 32
            equal(pool(s, "approve", evidence).json["error"]["param"], "join.weights", "a shard that is not the slot's")
    finally:
        shutil.rmtree(folder)


@test("hosting.proofs", limit=120, logs=("gateway",))
def a_node_proves_itself_through_the_relay(s: Stack):
    compose = s.home / "e2e-app-compose.json"
    compose.write_text('{"docker_compose_file":"services: {}"}')
    with host_up(s, 1, "host2", "--compose", compose) as node:
        garbage = relay(s, node.url, "/v1/teetee/challenge", b"TTC1" + bytes(80))
        equal((garbage.status, garbage.headers.get("x-teetee-relayed")), (401, "node"), f"a challenge of nobody ({garbage.text[:200]})")
        equal(relay(s, node.url, "/v1/teetee/challenge", b"short").status, 400, "a challenge that is none")
        nonce = "ab" * 32
        known = relay(s, node.url, "/v1/teetee/known-answer", json.dumps({"nonce": nonce}).encode()).json
        manifest = json.loads(relay(s, node.url, "/v1/teetee/manifest").body)
        equal(known["kats"], [{k: kat[k] for k in ("seed", "n_tokens", "output_sha256")} for kat in manifest["slots"][1]["kats"]], "known answers")
        check(known["kats"], "the manifest has no known answers")
        equal(known["nonce"], nonce, "nonce")
        equal(len(bytes.fromhex(known["signature"])), 64, "signature")
        evidence = base64.b64decode(join_evidence(s, node).json["quote"])
        equal(evidence[184 + 48:184 + 48 + 33].hex(), "01" + hashlib.sha256(compose.read_bytes()).hexdigest(), "MRCONFIGID")


def host_replica(s: Stack, slot: int) -> None:
    account = "host2" if slot == 0 else "host1"  # the other one than of the node that is there
    host = chain.ask(s, "address", key_file=s.key_file(account))["address"].lower()
    with host_up(s, slot, account) as node:
        equal(node.facts["host"], host, "host")
        checks = checks_of(s, node.url, slot, host)
        wanted = {"node.address": "passed", "node.reachable": "passed", "node.identity": "passed", "node.tls": "skipped" if slot == 0 else "passed", "node.speed": "passed"}
        equal(statuses(checks), wanted, "checks")
        join(s, node, account)
        wait_until("the replica is live", lambda: is_live(s, node), 30)
        counter = "teetee_served_total" if slot == 0 else "teetee_sequences_total"

        def serves():
            with s.own_proxy(key=chain.own_key(s, f"replica-{slot}")) as proxy:
                answer = s.chat("Who serves me?", url=proxy.url, max_tokens=4)
                equal(answer.status, 200, f"a chat with two nodes in slot {slot} ({answer.text[:200]})")
                if node.metric(counter) == 0:
                    return None
                return receipt_of(s.bundle_of(answer, proxy.receipts))
        receipt = wait_until("a route goes over the replica", serves, 120)
        settled(s, [receipt])

        def earned():
            events = chain.Snapshot(s).events("Earned")
            return sum(int(e["amount"]) for e in events if e["key"].lower() == node.key)
        check(wait_until("the replica's key earns", earned, 60, every=1) > 0, "no earnings")
        usage = wait_until("its usage is seen", lambda: sum(p["tokens_out"] for p in web.get(f"{s.up['gateway']}/v1/teetee/nodes/{node.key}/usage").json["points"]), 30, every=1)
        check(usage > 0, "no usage")
        before = chain.Snapshot(s).total("Withdrawn")
        done = s.teetee("host", "withdraw", "--key-file", s.key_file(account), "--rpc", s.up["rpc"], "--gateway", s.up["gateway"], "--trust", s.trust, "--json")
        equal(done.returncode, 0, f"host withdraw ({done.stderr[-300:]})")
        check(chain.Snapshot(s).total("Withdrawn") > before, "nothing was withdrawn")
    wait_until("chats work when the replica is gone", lambda: not is_live(s, node) and s.chat("Still there?", max_tokens=2).status == 200, 60, every=1)


@test("hosting.replica_of_a_later_slot", limit=300, logs=("gateway", "auditor", "node-0"))
def a_second_node_of_slot_1(s: Stack):
    host_replica(s, 1)


@test("hosting.replica_of_the_head", limit=300, logs=("gateway", "auditor", "node-1"))
def a_second_head(s: Stack):
    host_replica(s, 0)


@test("hosting.renewal", limit=120, logs=("gateway", "auditor"))
def a_lease_is_renewed_by_the_same_way(s: Stack):
    with host_up(s, 1, "host2") as node:
        join(s, node, "host2")
        wait_until("the node is live", lambda: is_live(s, node), 30)
        join(s, node, "host2")
        history = lambda: web.get(f"{s.up['gateway']}/v1/teetee/nodes/{node.key}/history").json["events"]  # noqa: E731
        wait_until("the gateway tells of both", lambda: [e["what"] for e in history()] == ["renewed", "joined"], 30)
