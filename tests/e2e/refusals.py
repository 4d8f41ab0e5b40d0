"""Wrong trust: the client refuses before anything is sealed, and names the check. Nodes refuse shards and peers likewise."""
import json
import pathlib
import shutil
import subprocess
import tempfile

from . import web
from .bundles import production
from .harness import check, contains, equal, test
from .mitm import between
from .stack import Stack, free_port


def refusal(s: Stack, trust: pathlib.Path, names: tuple[str, ...]) -> None:
    """A proxy with this trust file refuses by one of these checks, whether at its start or at the first request, and seals nothing."""
    with between(s.up["gateway"]) as (url, mitm):
        with s.own_proxy(gateway=url, trust=trust) as proxy:
            if proxy.child.poll() is not None:
                check(proxy.child.returncode != 0, "the proxy ended without an error")
                said = proxy.log()
            else:
                answer = s.chat("Hello.", url=proxy.url, timeout=60)
                check(answer.status >= 400, "the request was answered")
                said = answer.error.get("message", "")
            check(any(f"check {n}:" in said for n in names), f"none of {names} is named: {said[-400:]}")
        equal(mitm.sealed, [], "sealed requests that went out")


def changed_trust(s: Stack, **changes) -> pathlib.Path:
    path = pathlib.Path(tempfile.mkdtemp(prefix="teetee-e2e-")) / "trust.json"
    path.write_text(json.dumps(json.loads(s.trust.read_text()) | changes))
    return path


@test("refused.measurement", limit=60)
def wrong_measurement(s: Stack):
    refusal(s, changed_trust(s, measurements=[{"name": "another build", "mrtd": "ab" * 48}]), ("measurement",))


@test("refused.no_measurements", limit=60)
def empty_list_accepts_nothing(s: Stack):
    refusal(s, changed_trust(s, measurements=[]), ("measurement",))


@test("refused.root", limit=60)
def root_of_another_machine(s: Stack):
    folder = pathlib.Path(tempfile.mkdtemp(prefix="teetee-e2e-"))
    done = s.teetee("attest", "dev-pki", "--out", folder / "pki")
    equal(done.returncode, 0, f"attest dev-pki ({done.stderr.strip()[-200:]})")
    refusal(s, changed_trust(s, roots=[(folder / "pki/root.pem").read_text()]), ("pck.root",))


@test("refused.production", limit=60)
def production_trust_file(s: Stack):
    refusal(s, production(s, pathlib.Path(tempfile.mkdtemp(prefix="teetee-e2e-"))), ("pck.root", "evidence.class"))


@test("refused.registry", limit=60)
def evidence_of_another_registry(s: Stack):
    refusal(s, changed_trust(s, registry="0x" + "12" * 20), ("claims.chain",))


@test("refused.unknown_name", limit=60)
def name_that_the_trust_file_does_not_have(s: Stack):
    with between(s.up["gateway"]) as (url, mitm):
        with s.own_proxy(gateway=url, trust=changed_trust(s, models={"other": "0x" + "34" * 32})) as proxy:
            answer = s.chat("Hello.", url=proxy.url, timeout=60)
            equal(answer.status, 404, f"status ({answer.text[:200]})")
        equal(mitm.sealed, [], "sealed requests that went out")


@test("refused.plaintext", limit=30)
def gateway_and_node_take_no_plaintext(s: Stack):
    for url in (s.up["gateway"], s.up["nodes"][0]["url"]):
        answer = web.post(url + "/v1/chat/completions", {"model": s.model, "messages": [{"role": "user", "content": "x"}]})
        equal(answer.status, 400, "status")
        contains(answer.error.get("message", ""), "teetee proxy", "the hint")


# ---------------------------------------------------------------- nodes

def node_argv(s: Stack, slot: int, folder: pathlib.Path, **changes) -> list[str]:
    """argv of a running node with a state folder and ports of its own, and further changes."""
    argv = list(s.up["processes"][f"node-{slot}"]["argv"])
    own = {"state": str(folder / "state"), "listen": f"127.0.0.1:{free_port()}", "channel": f"127.0.0.1:{free_port()}"} | changes
    for name, value in own.items():
        argv[argv.index("--" + name) + 1] = str(value)
    return argv


def refuses_to_start(argv: list[str], name: str) -> None:
    done = subprocess.run(argv, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=60, check=False)
    check(done.returncode != 0, "the node ended without an error")
    contains(done.stderr, f"check {name}", "the reason")


def flip(path: pathlib.Path, offset: int) -> None:
    with open(path, "r+b") as file:
        file.seek(offset)
        byte = file.read(1)[0]
        file.seek(offset)
        file.write(bytes([byte ^ 4]))


@test("refused.flipped_bit", limit=120, logs=())
def shard_with_one_flipped_bit(s: Stack):
    for node in s.up["nodes"]:
        folder = pathlib.Path(tempfile.mkdtemp(prefix="teetee-e2e-"))
        argv = s.up["processes"][f"node-{node['slot']}"]["argv"]
        shard = pathlib.Path(argv[argv.index("--shard") + 1])
        copy = folder / "shard.gguf"
        shutil.copyfile(shard, copy)
        flip(copy, shard.stat().st_size * 3 // 4)  # inside the tensors: they are nearly all of the file
        refuses_to_start(node_argv(s, node["slot"], folder, shard=copy), "shard.weights")
        shutil.rmtree(folder)
