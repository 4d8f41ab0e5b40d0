"""Nobody between the user's machine and the TEEs sees prompt or answer; and the test that says so can fail."""
import json
import pathlib
import secrets
import time
import urllib.parse

from . import capture, leak_stack
from .harness import Skip, check, equal, test
from .same_bits import model_file
from .stack import Stack

HIDDEN = ("logs", "gateway", "nodes", "chain", "join")  # folders that must not hold a secret; proxy/receipts does, on purpose


def record(s: Stack, marker: str) -> tuple[capture.Capture, list[str]]:
    """Captures chats whose prompt holds the marker, streamed and not; gives the answers too."""
    prompt = f"Repeat this word and add a sentence about the sea: {marker}"
    try:
        with capture.loopback() as traffic:
            whole = s.chat(prompt, max_tokens=32)
            answers = [whole.content]
            streamed = s.chat(prompt, max_tokens=32, stream=True)
            check(streamed.text.rstrip().endswith("data: [DONE]"), "the stream did not end well")
            time.sleep(4)  # receipts, batches and proofs travel too
    except PermissionError:
        raise Skip("raw sockets need root or CAP_NET_RAW") from None
    check(traffic.drops == 0, f"the capture lost {traffic.drops} packets")
    check(len(answers[0].encode()) >= 16, f"the answer is too short to be searched for: {answers[0]!r}")
    return traffic, answers


def needles(s: Stack, marker: str, answers: list[str]) -> dict[str, bytes]:
    out = {f"marker, {name}": needle for name, needle in capture.forms(marker).items()}
    for answer in answers:
        out |= {f"answer, {name}": needle for name, needle in capture.forms(answer).items()}
        ids = tokenize(s, answer)
        check(len(ids) >= 4, "the answer has too few tokens")
        out["answer, token ids"] = capture.ids_form(ids[1:-1])
    out["marker, token ids"] = capture.ids_form(tokenize(s, marker)[1:-1])
    return out


def tokenize(s: Stack, text: str) -> list[int]:
    import subprocess
    done = subprocess.run([s.bin / "teetee", "tokenize", "-m", model_file(), "--json"], input=text, capture_output=True, text=True, timeout=60, check=False)
    check(done.returncode == 0, f"teetee tokenize: {done.stderr.strip()[-200:]}")
    return json.loads(done.stdout)


def leaks(s: Stack, traffic: capture.Capture, wanted: dict[str, bytes]) -> list[str]:
    """Where something was found, but for the proxy's own port, which is plaintext on purpose."""
    own = urllib.parse.urlsplit(s.proxy).port
    names = {urllib.parse.urlsplit(u).port: n for n, u in {"gateway": s.up["gateway"], "chain": s.up["rpc"]}.items()}
    names |= {urllib.parse.urlsplit(n["url"]).port: f"node {n['slot']}" for n in s.up["nodes"]}
    found = []
    for (source, destination), data in traffic.streams().items():
        if own not in (source, destination):
            leg = f"{names.get(source, source)} -> {names.get(destination, destination)}"
            found += [f"{what} on {leg}" for what in capture.search(data, wanted)]
    for path in hidden_files(s.home):
        found += [f"{what} in {path.relative_to(s.home)}" for what in capture.search(path.read_bytes(), wanted)]
    return found


def hidden_files(home: pathlib.Path) -> list[pathlib.Path]:
    return [p for folder in HIDDEN for p in (home / folder).rglob("*") if p.is_file()]


def legs_seen(s: Stack, traffic: capture.Capture) -> dict[str, int]:
    """Bytes that went to each process, so that an empty capture cannot pass."""
    ports = {"proxy": s.proxy, "gateway": s.up["gateway"], "head": s.up["nodes"][0]["url"]}
    return {name: sum(len(d) for (_, to), d in traffic.streams().items() if to == urllib.parse.urlsplit(url).port) for name, url in ports.items()}


@test("leak.nothing_in_the_clear", limit=120)
def capture_holds_neither_prompt_nor_answer(s: Stack):
    marker = "zebra" + secrets.token_hex(8)
    traffic, answers = record(s, marker)
    seen = legs_seen(s, traffic)
    check(all(seen.values()), f"the capture misses a leg: {seen}")
    own = urllib.parse.urlsplit(s.proxy).port
    plain = b"".join(d for (a, b), d in traffic.streams().items() if own in (a, b))
    check(marker.encode() in plain and answers[0].encode()[:16] in plain, "the capture does not even hold the plaintext leg to the proxy")
    channel = channel_port(s)
    check(any(channel in ports for ports in traffic.streams()), "no traffic between the nodes was captured")
    check(len(hidden_files(s.home)) >= 5, "there are no logs and state files to search")
    equal(leaks(s, traffic, needles(s, marker, answers)), [], "leaks")


def channel_port(s: Stack) -> int:
    argv = s.up["processes"]["node-1"]["argv"]
    return int(argv[argv.index("--channel") + 1].rsplit(":", 1)[1])


@test("leak.found_when_unsealed", limit=3600)
def without_sealing_the_same_capture_finds_both(s: Stack):
    marker = "zebra" + secrets.token_hex(8)
    with leak_stack.running() as bare:
        traffic, answers = record(bare, marker)
        found = leaks(bare, traffic, needles(bare, marker, answers))
    check(any(f.startswith("marker, plain on") for f in found), f"sealing is off and the prompt was not found: {found}")
    check(any(f.startswith(("answer, plain on", "answer, json on")) for f in found), f"sealing is off and the answer was not found: {found}")
