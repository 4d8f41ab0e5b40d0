"""teetee verify: accepts a good bundle, and rejects every change of it."""
import base64
import copy
import json
import pathlib
import tempfile

from . import chain
from .harness import check, equal, test, wait_until
from .money import receipt_of, settled
from .stack import Stack


def good(s: Stack) -> pathlib.Path:
    if "bundle" not in s.notes:
        s.notes["bundle"] = s.bundle_of(s.chat("A receipt, please.", max_tokens=8)).read_text()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="teetee-e2e-"))
    path = folder / "bundle.json"
    path.write_text(s.notes["bundle"])
    return path


def verify(s: Stack, path: pathlib.Path, *more) -> tuple[int, list[dict], str]:
    """Exit code, checks, stderr."""
    done = s.teetee("verify", path, "--json", "--trust", s.trust, *more)
    try:
        found = json.loads(done.stdout)
    except ValueError:
        found = {}
    checks = found.get("checks", []) if isinstance(found, dict) else found
    return done.returncode, checks, done.stderr


def rejected(s: Stack, what: str, bundle: dict, wanted: str = "", *more) -> None:
    """A changed bundle is refused, with the name of a check (of `wanted`, where given)."""
    path = good(s)
    path.write_text(json.dumps(bundle))
    code, checks, stderr = verify(s, path, *more)
    check(code != 0, f"{what}: verify accepted it")
    failed = [c["check"] for c in checks if not c["passed"]]
    check(failed or "check " in stderr or stderr.strip(), f"{what}: verify gave no reason")
    if wanted:
        check(any(f.startswith(wanted) for f in failed) or wanted in stderr, f"{what}: refused by {failed or stderr.strip()[-200:]}, expected {wanted}")


def flipped(text: str) -> str:
    """Another text of the same kind: the last hex digit changed."""
    return text[:-1] + ("0" if text[-1] != "0" else "1")


@test("verify.good_offline")
def accepts_a_good_bundle(s: Stack):
    code, checks, stderr = verify(s, good(s))
    equal(code, 0, f"exit code ({stderr.strip()[-300:]}, {[c for c in checks if not c['passed']]})")
    check(len(checks) >= 6, f"only {len(checks)} checks were told")
    plain = s.teetee("verify", good(s), "--trust", s.trust)
    check(plain.returncode == 0 and "simulated" in (plain.stdout + plain.stderr).lower(), "it is not said in plain words that the evidence is simulated")


@test("verify.good_on_chain", limit=120)
def finds_its_place_on_chain(s: Stack):
    answer = s.chat("A receipt that goes on chain, please.", max_tokens=4)
    path = s.bundle_of(answer)
    settled(s, [receipt_of(path)])
    wait_until("the proxy adds the Merkle proof to the bundle", lambda: json.loads(path.read_text())["settlement"], 30, every=0.5)
    code, checks, stderr = verify(s, path, "--rpc", s.up["rpc"])
    equal(code, 0, f"exit code ({stderr.strip()[-300:]}, {[c for c in checks if not c['passed']]})")
    offline = {c["check"] for c in verify(s, path)[1]}
    check({c["check"] for c in checks} - offline, "no further check with --rpc")
    elsewhere = json.loads(path.read_text())
    elsewhere["settlement"]["seq"] += 1
    rejected(s, "another batch", elsewhere, "chain.batch", "--rpc", s.up["rpc"])
    unproved = json.loads(path.read_text())
    unproved["settlement"]["root"] = flipped(unproved["settlement"]["root"])
    rejected(s, "another root", unproved, "settlement.proof")


@test("verify.every_receipt_field", limit=90)
def each_field_counts(s: Stack):
    original = json.loads(good(s).read_text())
    fields = ["query", "line", "input", "output", "tokens_in", "tokens_out", "cost", "transcript"]
    equal(sorted(original["receipt"]["receipt"]), sorted(fields), "fields of the receipt")
    for name in fields:
        bundle = copy.deepcopy(original)
        value = bundle["receipt"]["receipt"][name]
        if name == "cost":
            value = str(int(value) + 1)
        else:
            value = value + 1 if isinstance(value, int) else flipped(value)
        bundle["receipt"]["receipt"][name] = value
        rejected(s, f"receipt.{name} changed", bundle, "receipt.")


@test("verify.every_transcript_field", limit=120)
def each_transcript_field_counts(s: Stack):
    original = json.loads(good(s).read_text())
    other = {"mode": "free", "finish": "cancel"}
    for name, value in original["receipt"]["transcript"].items():
        bundle = copy.deepcopy(original)
        changed = copy.deepcopy(value)
        if isinstance(value, int):
            changed = value + 1
        elif name == "block":
            changed["number"] += 1
        elif name == "stages":
            changed[-1]["activations"] = flipped(changed[-1]["activations"])
        else:
            changed = other.get(name) or flipped(value)
        bundle["receipt"]["transcript"][name] = changed
        rejected(s, f"transcript.{name} changed", bundle)


@test("verify.another_answer", limit=60)
def another_answer_or_question(s: Stack):
    original = json.loads(good(s).read_text())
    answer = copy.deepcopy(original)
    answer["outputs"][0] += " "
    rejected(s, "another answer", answer, "receipt.output")
    more = copy.deepcopy(original)
    more["outputs"].append("x")
    rejected(s, "a further answer", more, "receipt.output")
    body = copy.deepcopy(original)
    body["body"] = body["body"].replace("receipt", "Receipt", 1)
    check(body["body"] != original["body"], "the request does not hold the prompt")
    rejected(s, "another request", body, "receipt.input")
    secret = copy.deepcopy(original)
    secret["secret"] = flipped(secret["secret"])
    rejected(s, "another secret", secret)


@test("verify.another_model", limit=60)
def another_model(s: Stack):
    original = json.loads(good(s).read_text())
    price = copy.deepcopy(original)
    price["model"]["params"]["price_out"] = str(int(price["model"]["params"]["price_out"]) + 1)
    rejected(s, "another price", price, "model.")
    other = copy.deepcopy(original)
    other["model"]["id"] = flipped(other["model"]["id"])
    rejected(s, "another model id", other)
    weights = copy.deepcopy(original)
    slot = weights["model"]["params"]["slots"][-1]
    slot["weights"] = flipped(slot["weights"])
    rejected(s, "other weights", weights, "model.")
    manifest = copy.deepcopy(original)
    manifest["manifest"] = manifest["manifest"].replace('"profile":1', '"profile":2')
    check(manifest["manifest"] != original["manifest"], "the manifest has no profile")
    rejected(s, "another manifest", manifest, "model.manifest")


@test("verify.signatures", limit=60)
def missing_and_foreign_signatures(s: Stack):
    original = json.loads(good(s).read_text())
    document = original["receipt"]
    head = next(n["key"] for n in s.up["nodes"] if n["slot"] == 0)
    signer = chain.ask(s, "signer", receipt=document["receipt"], signature=document["signature"])["signer"]
    equal(signer.lower(), head.lower(), "viem's view of who signed the good receipt")
    missing = copy.deepcopy(original)
    del missing["receipt"]["signature"]
    rejected(s, "no signature", missing)
    for what, signature in {"zeros": "0" * 128, "one bit": flipped(document["signature"]),
                            "a foreign key": chain.ask(s, "forge", receipt=document["receipt"])["signature"]}.items():
        bundle = copy.deepcopy(original)
        bundle["receipt"]["signature"] = signature
        rejected(s, f"signature: {what}", bundle, "receipt.signature")
    check(document["work"], "no stage signed for its work")
    nobody = copy.deepcopy(original)
    nobody["receipt"]["work"] = []
    rejected(s, "no stage's work at all", nobody, "receipt.proofs")
    for index in range(len(document["work"])):
        bundle = copy.deepcopy(original)
        bundle["receipt"]["work"][index]["signature"] = "0" * 128
        rejected(s, "a stage's work without its signature", bundle)


@test("verify.evidence", limit=60)
def evidence_counts(s: Stack):
    original = json.loads(good(s).read_text())
    check(len(original["evidence"]) == len(s.up["nodes"]), "the bundle does not hold every node's evidence")
    swapped = copy.deepcopy(original)
    first, last = swapped["evidence"][0], swapped["evidence"][-1]
    first["evidence"], last["evidence"] = last["evidence"], first["evidence"]
    rejected(s, "evidence swapped", swapped)
    missing = copy.deepcopy(original)
    missing["evidence"].pop()
    rejected(s, "evidence missing", missing)
    quote = copy.deepcopy(original)
    raw = bytearray(base64.b64decode(quote["evidence"][0]["evidence"]))
    raw[len(raw) // 8] ^= 1
    quote["evidence"][0]["evidence"] = base64.b64encode(raw).decode()
    rejected(s, "one bit of a quote", quote)


@test("verify.production_trust", limit=60)
def production_trust_file_refuses(s: Stack):
    path = good(s)
    trust = production(s, path.parent)
    done = s.teetee("verify", path, "--json", "--trust", trust)
    check(done.returncode != 0, "simulated evidence was accepted under a production trust file")
    said = done.stdout + done.stderr
    check(any(name in said for name in ("pck.root", "evidence.class")), f"no check of root or class is named: {said[-400:]}")


def production(s: Stack, folder: pathlib.Path) -> pathlib.Path:
    """The trust file as class production: Intel's root only."""
    trust = json.loads(s.trust.read_text())
    trust.update({"class": "production", "roots": ["a0af031289f5d5d4132f9186068a7fc13628633ba235777472e29b6b6c67a49e"]})
    path = folder / "production.json"
    path.write_text(json.dumps(trust))
    return path
