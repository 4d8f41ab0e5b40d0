"""The answer over the running shards is that of one process, bit for bit."""
import json
import pathlib
import subprocess

from .harness import check, contains, equal, test
from .stack import ROOT, Stack

FRANCE = "What is the capital of France?"
WORDY = "You are a helpful AI assistant named SmolLM, trained by Hugging Face"


def model_file() -> pathlib.Path:
    done = subprocess.run(["python3", ROOT / "tools/fetch_model.py", "--offline"], capture_output=True, text=True,
                          stdin=subprocess.DEVNULL, timeout=60, check=False)
    check(done.returncode == 0, f"the model's file is not in the cache: {done.stderr.strip()}")
    return pathlib.Path(done.stdout.strip())


def default_system(s: Stack) -> str:
    """The system message of the manifest, which the head puts before conversations that bring none."""
    argv = s.up["processes"]["node-0"]["argv"]
    return json.loads(pathlib.Path(argv[argv.index("--manifest") + 1]).read_text()).get("system", "")


def run_locally(s: Stack, prompt: str, tokens: int, *more, system: str | None = None) -> dict:
    system = default_system(s) if system is None else system
    more = (*more, "--system", system) if system else more
    done = s.teetee("run", "-m", model_file(), "-p", prompt, "-n", tokens, "--json", *more, timeout=110)
    check(done.returncode == 0, f"teetee run ended with {done.returncode}: {done.stderr.strip()[-300:]}")
    return json.loads(done.stdout)


@test("same_bits.paris", limit=120)
def knows_the_capital_of_france(s: Stack):
    check(len(s.up["nodes"]) >= 2, "the stack has one shard only")
    before = s.rows()
    answer = s.chat(FRANCE, max_tokens=32)
    contains(answer.content, "Paris", "the answer")
    after = s.rows()
    for slot in before:
        check(after[slot] > before[slot], f"slot {slot} computed nothing")
    equal(answer.content, run_locally(s, FRANCE, 32, "--temp", 0)["text"], "text over shards and in one process")


@test("same_bits.near_tie", limit=120)
def greedy_text_is_the_same(s: Stack):
    """With this system message the two likeliest first tokens are nearly a tie: a changed bit would show."""
    messages = [{"role": "system", "content": WORDY}, {"role": "user", "content": FRANCE}]
    answer = s.chat("", messages=messages, max_tokens=32)
    equal(answer.content, run_locally(s, FRANCE, 32, "--temp", 0, system=WORDY)["text"], "text over shards and in one process")


@test("same_bits.sampled", limit=120)
def sampled_text_is_the_same(s: Stack):
    for seed in (1, 2**40 + 5):
        answer = s.chat("Write one sentence about rain.", max_tokens=24, temperature=1, seed=seed)
        local = run_locally(s, "Write one sentence about rain.", 24, "--temp", 1, "--top-p", 1, "--seed", seed)
        equal(answer.content, local["text"], f"text for seed {seed}")


@test("same_bits.beside_others", limit=180)
def several_at_once_change_nothing(s: Stack):
    import concurrent.futures
    prompts = [f"Count from {i} to ten." for i in range(4)]
    alone = [s.chat(p, max_tokens=12).content for p in prompts]
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda p: s.chat(p, max_tokens=12).content, prompts))
    equal(together, alone, "answers of four requests at once")
