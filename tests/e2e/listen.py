"""The capture of leak.py for tests in other languages: `python -m tests.e2e.listen` records loopback until a line comes in.

Prints `listening`; then takes one line of JSON, {"prompt", "answer", "known"}, and prints one: what leaked and where, whether `known`
(something that went over the wire in clear) was found, and how many bytes went to each process.
"""
import json
import sys

from . import capture, leak
from .stack import Stack


def main() -> None:
    stack = Stack()
    if not stack.load():
        sys.exit("nothing runs: ./dev up")
    with capture.loopback() as traffic:
        print("listening", flush=True)
        said = json.loads(sys.stdin.readline())
    wanted = leak.needles(stack, said["prompt"], [said["answer"]])
    known = {"known": said["known"].encode()}
    print(json.dumps({
        "drops": traffic.drops,
        "leaks": leak.leaks(stack, traffic, wanted | {"answer, streamed": b'"chat.completion.chunk"'}),
        "known": any(capture.search(data, known) for data in traffic.streams().values()),
        "bytes": leak.legs_seen(stack, traffic),
        "files": len(leak.hidden_files(stack.home)),
    }))


if __name__ == "__main__":
    main()
