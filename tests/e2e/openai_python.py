"""The official PyPI client, unmodified: base URL is the proxy, any key."""
import http.client
import json
import urllib.parse

import openai

from . import web
from .harness import check, contains, equal, test
from .stack import Stack

ASK = [{"role": "user", "content": "Tell me a short story about a fox."}]


def client(s: Stack, url: str | None = None) -> openai.OpenAI:
    return openai.OpenAI(base_url=(url or s.proxy) + "/v1", api_key="any", max_retries=0, timeout=120)


def ask(s: Stack, **more):
    return client(s).chat.completions.create(**{"model": s.model, "messages": ASK, "max_tokens": 24, **more})


def expect(kind: type, call) -> openai.APIStatusError:
    try:
        call()
    except openai.APIStatusError as error:
        check(isinstance(error, kind), f"expected {kind.__name__}, found {type(error).__name__}: {error}")
        check(isinstance(error.body, dict) and error.body.get("message"), f"no OpenAI error object: {error.body!r}")
        return error
    check(False, f"expected {kind.__name__}, but the call succeeded")


@test("openai_python.models")
def lists_models(s: Stack):
    found = {m.id: m for m in client(s).models.list()}
    check(s.model in found, f"{s.model} is not listed: {sorted(found)}")
    equal(found[s.model].object, "model", "object")


@test("openai_python.chat")
def chat(s: Stack):
    answer = ask(s, temperature=0)
    choice = answer.choices[0]
    equal(answer.object, "chat.completion", "object")
    equal(choice.message.role, "assistant", "role")
    check(choice.message.content, "the answer is empty")
    equal(choice.finish_reason, "length", "finish_reason with max_tokens=24")


def gather(stream) -> tuple[str, list, list]:
    """Text, finish reasons, usages of a stream."""
    text, reasons, usages = "", [], []
    for chunk in stream:
        if chunk.usage:
            usages.append(chunk.usage)
        for choice in chunk.choices:
            text += choice.delta.content or ""
            if choice.finish_reason:
                reasons.append(choice.finish_reason)
    return text, reasons, usages


@test("openai_python.stream")
def streamed_text_is_the_same(s: Stack):
    whole = ask(s, temperature=0).choices[0].message.content
    text, reasons, usages = gather(ask(s, temperature=0, stream=True))
    equal(text, whole, "streamed text")
    equal(reasons, ["length"], "finish reasons")
    equal(usages, [], "usage without include_usage")


@test("openai_python.stream_usage")
def stream_options_include_usage(s: Stack):
    whole = ask(s, temperature=0)
    _, _, usages = gather(ask(s, temperature=0, stream=True, stream_options={"include_usage": True}))
    equal(len(usages), 1, "usage chunks")
    equal(usages[0].total_tokens, whole.usage.total_tokens, "total tokens")


@test("openai_python.seed")
def seed_decides(s: Stack):
    texts = [ask(s, temperature=1, seed=seed).choices[0].message.content for seed in (7, 7, 8)]
    equal(texts[1], texts[0], "text of the same seed")
    check(texts[2] != texts[0], f"another seed gave the same text: {texts[0]!r}")


@test("openai_python.max_tokens")
def max_tokens(s: Stack):
    for name in ("max_tokens", "max_completion_tokens"):
        answer = client(s).chat.completions.create(model=s.model, messages=ASK, **{name: 5})
        equal(answer.usage.completion_tokens, 5, f"completion tokens with {name}")
        equal(answer.choices[0].finish_reason, "length", "finish_reason")


@test("openai_python.stop")
def stop_strings(s: Stack):
    whole = ask(s, temperature=0, max_tokens=40).choices[0].message.content
    words = whole.split()
    check(len(words) > 6, f"the answer is too short to stop in: {whole!r}")
    stop = words[4] + " " + words[5]
    at = whole.find(stop)
    for streamed in (False, True):
        if streamed:
            text, reasons, _ = gather(ask(s, temperature=0, max_tokens=40, stop=[stop, "\x07"], stream=True))
        else:
            choice = ask(s, temperature=0, max_tokens=40, stop=stop).choices[0]
            text, reasons = choice.message.content, [choice.finish_reason]
        equal(text, whole[:at], f"text before the stop string (streamed: {streamed})")
        equal(reasons, ["stop"], "finish_reason")


@test("openai_python.logprobs")
def logprobs(s: Stack):
    answer = ask(s, temperature=0, max_tokens=6, logprobs=True, top_logprobs=3)
    tokens = answer.choices[0].logprobs.content
    equal(len(tokens), answer.usage.completion_tokens, "number of logprobs")
    equal("".join(t.token for t in tokens), answer.choices[0].message.content, "text of the tokens")
    for token in tokens:
        equal(len(token.top_logprobs), 3, "alternatives")
        values = [t.logprob for t in token.top_logprobs]
        check(values == sorted(values, reverse=True) and values[0] <= 0, f"alternatives are not ordered: {values}")
        equal(token.top_logprobs[0].token, token.token, "greedy token and best alternative")
        equal(token.logprob, values[0], "logprob of the greedy token")
    check(ask(s, max_tokens=2).choices[0].logprobs is None, "logprobs without being asked for")


@test("openai_python.n")
def two_choices(s: Stack):
    answer = ask(s, temperature=1, seed=3, n=2)
    equal([c.index for c in answer.choices], [0, 1], "indexes")
    first, second = (c.message.content for c in answer.choices)
    check(first != second, f"both choices are the same at temperature 1: {first!r}")
    equal(answer.usage.completion_tokens, 48, "completion tokens of both")


@test("openai_python.usage")
def usage_counts(s: Stack):
    short = ask(s, temperature=0, max_tokens=3).usage
    equal(short.total_tokens, short.prompt_tokens + short.completion_tokens, "total")
    equal(short.completion_tokens, 3, "completion tokens")
    longer = client(s).chat.completions.create(model=s.model, messages=[{"role": "user", "content": ASK[0]["content"] + " one two"}], max_tokens=1)
    check(longer.usage.prompt_tokens > short.prompt_tokens, "a longer prompt does not count more tokens")


@test("openai_python.completions")
def completions_endpoint(s: Stack):
    answer = client(s).completions.create(model=s.model, prompt="The capital of France is", max_tokens=8, temperature=0, logprobs=2)
    equal(answer.object, "text_completion", "object")
    choice = answer.choices[0]
    check(choice.text, "the answer is empty")
    equal(len(choice.logprobs.tokens), 8, "logprobs")
    stream = client(s).completions.create(model=s.model, prompt="The capital of France is", max_tokens=8, temperature=0, stream=True)
    equal("".join(c.choices[0].text for c in stream if c.choices), choice.text, "streamed text")


@test("openai_python.unknown_model")
def unknown_model(s: Stack):
    error = expect(openai.NotFoundError, lambda: ask(s, model="no-such-model"))
    equal(error.status_code, 404, "status")


@test("openai_python.oversized_prompt")
def oversized_prompt(s: Stack):
    before = s.rows()
    long = [{"role": "user", "content": "one two three four five six seven eight " * 3000}]
    error = expect(openai.BadRequestError, lambda: ask(s, messages=long))
    contains(str(error), "context", "the error")
    equal(s.rows(), before, "rows computed for a refused prompt")


@test("openai_python.bad_json")
def bad_json(s: Stack):
    for text in (b"", b"{", b'{"model": "x",}', b"[1, 2", b"\xff\xfe", b"[" * 5000, b'"text"', b"null"):
        answer = web.post_json_text(s.proxy + "/v1/chat/completions", text)
        equal(answer.status, 400, f"status for {text[:20]!r}")
        check(answer.error.get("message") and answer.error.get("type") == "invalid_request_error", f"no OpenAI error object for {text[:20]!r}: {answer.text[:200]}")


@test("openai_python.wrong_types")
def wrong_types(s: Stack):
    wrong = {"temperature": "hot", "max_tokens": "many", "n": 0, "top_p": 3, "seed": "x", "stop": 5, "messages": "hello", "stream": "yes",
             "top_logprobs": 99, "logit_bias": 7}
    for name, value in wrong.items():
        body = {"model": s.model, "messages": ASK, "logprobs": True, name: value}
        answer = web.post(s.proxy + "/v1/chat/completions", body)
        equal(answer.status, 400, f"status for {name}={value!r}")
        equal(answer.error.get("param"), name, "param")


@test("openai_python.unknown_path")
def unknown_path(s: Stack):
    answer = web.post(s.proxy + "/v1/embeddings", {"model": s.model, "input": "x"})
    equal(answer.status, 404, "status")
    check(answer.error.get("message"), "no OpenAI error object")


@test("openai_python.retrieve")
def one_model(s: Stack):
    for name in (s.model, s.up["model"]["id"]):
        equal(client(s).models.retrieve(name).id, s.model, f"id of {name}")
    expect(openai.NotFoundError, lambda: client(s).models.retrieve("no-such-model"))


@test("openai_python.methods_and_pages")
def other_methods_and_foreign_pages(s: Stack):
    """A page of another site could make the browser spend the tab."""
    host = urllib.parse.urlsplit(s.proxy).netloc
    body = json.dumps({"model": s.model, "messages": ASK, "max_tokens": 1})

    def ask(method: str, path: str, **headers) -> http.client.HTTPResponse:
        connection = http.client.HTTPConnection(host, timeout=30)
        connection.request(method, path, body if method == "POST" else None, headers)
        return connection.getresponse()

    before = s.rows()
    equal(ask("GET", "/v1/chat/completions").status, 405, "GET of a path that takes POST")
    equal(ask("DELETE", "/v1/models").getheader("Allow"), "GET, HEAD", "Allow")
    equal(ask("POST", "/v1/chat/completions", Origin="https://elsewhere.example").status, 403, "status for a foreign origin")
    equal(ask("POST", "/v1/chat/completions", Host="elsewhere.example").status, 403, "status for a name bound to this machine")
    equal(s.rows(), before, "rows computed")
