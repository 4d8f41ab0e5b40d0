"""What browsers get: pages and config of `teetee web` and of the gateway, the demo wallet, and the gateway's lists."""
import json

from . import chain, web
from .harness import Skip, check, contains, equal, test, wait_until
from .money import receipt_of
from .stack import Stack


def pages_url(s: Stack) -> str:
    if "web" not in s.up:
        raise Skip("the pages are not built (web/dist)")
    return s.up["web"]


@test("pages.web_refuses_other_names", limit=30, logs=("web",))
def other_host_names_are_refused(s: Stack):
    """DNS rebinding: a page of another name that resolves to this machine."""
    url = pages_url(s)
    port = url.rsplit(":", 1)[1]
    for host in ("evil.example", f"evil.example:{port}", "127.0.0.1.evil.example", "localhost.evil.example", "", "10.0.0.1"):
        for path in ("/", "/config.json", "/demo-wallet.json"):
            answer = web.request("GET", url + path, headers={"Host": host})
            check(answer.status in (400, 403), f"Host {host!r}: {path} answered {answer.status}")
            check("private_key" not in answer.text, "a key was given away")
    equal(web.request("POST", url + "/config.json", b"{}").status, 405, "POST")


@test("pages.web_listens_on_loopback_only", limit=30, logs=())
def other_addresses_are_refused(s: Stack):
    done = s.teetee("web", "--listen", "0.0.0.0:1", "--trust", s.trust)
    check(done.returncode != 0, "it listens to everybody")
    contains(done.stderr, "127.0.0.1", "the error")


@test("pages.web_serves_the_users_own_trust_file", limit=30, logs=("web",))
def config_of_web(s: Stack):
    url = pages_url(s)
    config = web.get(url + "/config.json").json
    equal(config["trust"], json.loads(s.trust.read_text()), "the trust file")
    equal((config["served_by"], config["gateway"], config["rpc"]), ("web", s.up["gateway"], s.up["rpc"]), "where to connect")
    check(config["demo_wallet"] and config["auditor"], "demo wallet and auditor")
    equal(config["image"], s.up["image"], "the image")
    wallet = web.get(url + "/demo-wallet.json")
    for account in wallet.json["accounts"]:
        equal(account["address"].lower(), chain.ask(s, "address", key_file=s.key_file(account["name"]))["address"].lower(), account["name"])
    check("access-control-allow-origin" not in wallet.headers, "other origins may read the wallet")
    for path in ("/", "/pool/0x00/1", "/chat/7", "/explorer/receipt/0xab"):
        page = web.get(url + path)
        equal((page.status, page.headers["content-type"]), (200, "text/html; charset=utf-8"), path)
        policy = page.headers["content-security-policy"]
        contains(policy, f"connect-src 'self' {s.up['gateway']} {s.up['rpc']};", "the policy")
        check("unsafe" not in policy, policy)
    equal(web.get(url + "/none").status, 404, "no page")


@test("pages.gateway_brings_no_trust", limit=30, logs=("gateway",))
def config_of_the_gateway(s: Stack):
    pages_url(s)
    config = web.get(s.up["gateway"] + "/config.json").json
    equal((config["trust"], config["served_by"], config["gateway"], config["demo_wallet"]), (None, "gateway", "", False), "config")
    equal(web.get(s.up["gateway"] + "/demo-wallet.json").status, 404, "demo wallet")
    contains(web.get(s.up["gateway"] + "/status").text, "TeeTee gateway", "the status page")


@test("pages.lists", limit=120, logs=("gateway",))
def lists_tell_what_happened(s: Stack):
    receipt = receipt_of(s.bundle_of(s.chat("List me.", max_tokens=12, stream=False)))
    digest = chain.ask(s, "receipts", receipts=[receipt])[0]["hash"]
    gateway = s.up["gateway"] + "/v1/teetee"

    def listed():
        items = web.get(gateway + "/receipts?limit=5").json["receipts"]
        return next((i for i in items if i["hash"] == digest and i["status"] == "mined" and i["at"]), None)
    item = wait_until("the receipt is listed as mined, with its time", listed, 60, every=1)
    equal((item["query"], item["cost"], item["model"]), (receipt["query"], receipt["cost"], s.up["model"]["id"]), "the item")
    batch = web.get(f"{gateway}/batches/{item['root']}").json
    check(digest in [r["hash"] for r in batch["receipts"]], "the batch lists its receipt")
    for text, kind in ((digest, "receipt"), (receipt["query"][:12], "query"), (item["head"], "node"), (s.model[:6], "model"), (item["root"], "batch")):
        kinds = [m["kind"] for m in web.get(f"{gateway}/search?q={text}").json["matches"]]
        check(kind in kinds, f"search {text}: {kinds}")
    node = web.get(f"{gateway}/nodes/{item['head']}").json
    check(node["first_seen"] and node["last_seen"] and node["class"] == "simulated", f"the head's page: {node}")
    history = web.get(f"{gateway}/nodes/{item['head']}/history").json
    check(history["events"] and history["events"][-1]["at"], "the head's events")
    answer = web.get(f"{gateway}/nodes/{item['head']}/history/{history['evidence'][0]['sha256']}")
    equal(answer.json["key"], item["head"], "stored evidence")


@test("pages.speed_and_usage", limit=120, logs=("gateway", "node-0"))
def relayed_answers_are_timed_and_counted(s: Stack):
    gateway = s.up["gateway"] + "/v1"
    model = lambda: web.get(f"{gateway}/models/{s.model}").json["teetee"]  # noqa: E731
    before = (model()["speed"] or {"samples": 0})["samples"]
    s.chat("Count to forty.", max_tokens=40, stream=True)

    def timed():
        speed = model()["speed"]
        return speed if speed and speed["samples"] > before else None
    speed = wait_until("the streamed answer was timed", timed, 30, every=1)
    check(speed["ttft_ms"] > 0 and speed["tokens_per_second"] > 0, f"speed: {speed}")
    for node in s.up["nodes"]:
        points = wait_until("usage is sampled", lambda: [p for p in web.get(f"{gateway}/teetee/nodes/{node['key']}/usage?range=hour").json["points"] if p["tokens_out"]], 30, every=1)
        check(all(p["up"] is None or 0 <= p["up"] <= 1 for p in points) and any(p["busy_seconds"] > 0 for p in points), f"slot {node['slot']}: {points[-1]}")
    slots = model()["slot_list"]
    equal([slot["slot"] for slot in slots], list(range(len(slots))), "slots")
    check(all(slot["live"] >= 1 and slot["bytes"] > 0 and slot["blocks"] > 0 for slot in slots), f"slots: {slots}")
    check(model()["parameters"] > 1e6 and model()["quantisation"], "parameters and quantisation")
