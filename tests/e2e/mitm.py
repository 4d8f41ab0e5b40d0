"""A gateway that lies: relays to the real one and changes what it is told to change, on the way back or there."""
import contextlib
import http.server
import json
import threading

from . import web


class Mitm:
    """`change(path, body)` gets each answer of a GET, `seal(wire)` each sealed request, `answer(stream)` each sealed answer; each gives
    back what goes on. Everything that passed is kept in `sealed` (requests) and `answers`."""

    def __init__(self, upstream: str, change=None, seal=None, answer=None):
        self.upstream, self.change, self.seal, self.answer = upstream, change, seal, answer
        self.sealed: list[bytes] = []
        self.answers: list[bytes] = []
        self.paths: list[str] = []
        self.changed = 0

    def get(self, path: str) -> web.Answer:
        found = web.get(self.upstream + path)
        if self.change and found.status == 200:
            body = self.change(path, found.body)
            if body != found.body:
                self.changed += 1
            found.body = body
        return found

    def post(self, path: str, body: bytes, kind: str) -> web.Answer:
        is_sealed = path.startswith("/v1/teetee/sealed")
        if is_sealed:
            self.sealed.append(body)
            body = self.seal(body) if self.seal else body
        found = web.request("POST", self.upstream + path, body, {"Content-Type": kind}, timeout=120)
        if is_sealed:
            self.answers.append(found.body)
            if self.answer and found.status == 200:
                found.body = self.answer(found.body)
        return found


def _handler(mitm: Mitm):
    class Handler(http.server.BaseHTTPRequestHandler):
        def log_message(self, *args):
            pass

        def reply(self, ask):
            mitm.paths.append(f"{self.command} {self.path}")
            try:
                found = ask()
            except OSError:
                self.send_error(502)
                return
            self.send_response(found.status)
            self.send_header("Content-Type", found.headers.get("content-type", "application/octet-stream"))
            self.send_header("Content-Length", str(len(found.body)))
            self.end_headers()
            self.wfile.write(found.body)

        def do_GET(self):
            self.reply(lambda: mitm.get(self.path))

        def do_POST(self):
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.reply(lambda: mitm.post(self.path, body, self.headers.get("Content-Type", "")))
    return Handler


@contextlib.contextmanager
def between(upstream: str, **changes):
    """Runs a Mitm on a port of its own; gives (url, mitm)."""
    mitm = Mitm(upstream, **changes)
    with serving(_handler(mitm)) as url:
        yield url, mitm


@contextlib.contextmanager
def serving(handler):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


@contextlib.contextmanager
def lying_rpc(upstream: str, selector: str):
    """A JSON-RPC relay. Once `lies` holds an amount, calls of `selector` say that their first word is that amount; gives (url, lies)."""
    lies: list[int] = []

    def one(asked: dict, answer: dict) -> None:
        call = asked["params"][0] if asked.get("method") == "eth_call" else {}
        data = call.get("data") or call.get("input") or ""
        if lies and data.startswith(selector) and len(answer.get("result", "")) >= 66:
            answer["result"] = f"0x{lies[-1]:064x}" + answer["result"][66:]

    class Handler(http.server.BaseHTTPRequestHandler):
        def log_message(self, *args):
            pass

        def do_POST(self):
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            found = web.request("POST", upstream, body, {"Content-Type": "application/json"})
            asked, answers = json.loads(body), found.json
            for a, b in zip(asked, answers) if isinstance(asked, list) else [(asked, answers)]:
                one(a, b)
            out = json.dumps(answers).encode()
            self.send_response(found.status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(out)))
            self.end_headers()
            self.wfile.write(out)
    with serving(Handler) as url:
        yield url, lies
