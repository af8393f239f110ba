"""Sends the keys of keys.py with each client, and checks what a server answers: check.py URL.

A sender is a process that reads a request a line: method, URL up to the key, "escaped" or "as it is", key,
body; all of them escaped, with tabs between. It answers with the status and the body, or with "-" and why its
client sends no such request. What a client makes of a key is asked of mirror.py, so that a key that it tidies
up is not taken for another by the server. What is stored is put by POST /put, where the key is JSON.
"""
import json
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote, unquote

import keys

HERE = Path(__file__).parent / "senders"
SENDERS = {
    "Node fetch": ["node", HERE / "fetch.mjs"],
    "Python urllib": [sys.executable, HERE / "python.py", "urllib"],
    "Python requests": [sys.executable, HERE / "python.py", "requests"],
    "curl": [sys.executable, HERE / "python.py", "curl"],
    "Java HttpClient": ["java", HERE / "Jdk.java"],
}
FORMS = ["escaped", "as it is"]
PASSED, REFUSED, REWRITTEN, NOT_SENT, FAILED = "passed", "refused", "rewritten", "not sent", "FAILED"


class Wrong(Exception):
    """The server answered otherwise than it should."""


class Client:
    def __init__(self, command, server, mirror):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.server = server
        self.mirror = mirror

    def send(self, method, base, form, key, body=""):
        fields = [method, base, form, key, body]
        print(*(quote(field, safe="") for field in fields), sep="\t", file=self.process.stdin, flush=True)
        status, _, text = self.process.stdout.readline().rstrip("\n").partition("\t")
        return status, unquote(text)

    def expect(self, status, method, path, form="escaped", key="", body="", answer=None):
        """Sends, and requires a status, or one of several, and an answer or the code of a problem."""
        got, text = self.send(method, self.server + path, form, key, body)
        if got not in status.split():
            raise Wrong(f"{method} {path}: {got} {text[:200]}, not {status}")
        if got.startswith("4") and path != "/put" and not json.loads(text)["code"]:
            raise Wrong(f"{method} {path}: no problem")
        if answer is not None and text != answer:
            raise Wrong(f"{method} {path}: {text[:200]}, not {answer}")

    def check(self, form, key):
        """What becomes of a key in this form."""
        status, seen = self.send("GET", self.mirror + "/get/", form, key)
        if status == "-":
            return NOT_SENT
        if seen.startswith("rewritten"):
            return REWRITTEN
        kind, *rest = seen.split(" ")
        if kind == "malformed":
            self.check_refused("400", form, key)
            return REFUSED
        sent = unquote(rest[0])
        has_query = "query" in rest[1:]
        if not sent or len(sent.encode()) > keys.LIMIT:
            refusal = "413 431" if sent else "422"
            self.expect("413" if sent else "422", "POST", "/put", body=json.dumps({"key": sent, "val": "v"}))
            self.check_refused(refusal, form, key, has_query)
            return REFUSED
        self.check_texts(form, key, sent)
        if not has_query:
            self.check_entries(form, key)
        return PASSED if sent == key or form != "escaped" else REWRITTEN

    def check_refused(self, status, form, key, has_query=False):
        self.expect(status, "GET", "/get/", form, key)
        self.expect(status, "DELETE", "/delete/", form, key)
        if not has_query:
            self.expect(status, "PUT", "/v1/kv/", form, key, "v")
            self.expect(status, "GET", "/v1/kv/", form, key)

    def check_texts(self, form, key, sent):
        self.expect("200", "POST", "/put", body=json.dumps({"key": sent, "val": "one"}))
        self.expect("200", "GET", "/get/", form, key, answer='{"val":"one"}')
        self.expect("200", "DELETE", "/delete/", form, key)
        self.expect("200", "GET", "/get/", form, key, answer='{"val":""}')

    def check_entries(self, form, key):
        self.expect("201", "PUT", "/v1/kv/", form, key, "two")
        self.expect("200", "GET", "/get/", form, key, answer='{"val":"two"}')
        self.expect("200", "GET", "/v1/kv/", form, key, answer="two")
        self.expect("204", "DELETE", "/v1/kv/", form, key)
        self.expect("404", "GET", "/v1/kv/", form, key)


def main(server):
    mirror = subprocess.Popen([sys.executable, Path(__file__).parent / "mirror.py"], stdout=subprocess.PIPE, text=True)
    started = [mirror]
    try:
        return run(server, mirror.stdout.readline().strip(), started)
    finally:
        for process in started:
            process.terminate()


def run(server, mirror, started):
    odd = [unquote(line) for line in keys.lines()]
    outcomes = [PASSED, REFUSED, REWRITTEN, NOT_SENT, FAILED]
    print(f"{len(odd)} keys", "", *outcomes, sep="\t| ")
    failed = 0
    for name, command in SENDERS.items():
        client = Client(command, server, mirror)
        started.append(client.process)
        for form in FORMS:
            counts = dict.fromkeys(outcomes, 0)
            for key in odd:
                try:
                    counts[client.check(form, key)] += 1
                except Wrong as wrong:
                    counts[FAILED] += 1
                    print(f"  {name}, {form}, {keys.escaped(key)[:80]}: {wrong}")
            print(name.ljust(15), form, *counts.values(), sep="\t| ")
            failed += counts[FAILED]
        client.expect("200", "GET", "/v1/count", answer='{"count":0}')  # nothing under another key
    return failed


sys.exit(1 if main(sys.argv[1]) else 0)
