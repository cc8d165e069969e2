"""Behaves as Agent Zero does, as far as BorgOS sees it, and misbehaves as `stand_in.json` beside it says.

What can be in there:

    prefix          "/api", or "" for versions before 0.9.9
    start_seconds   how long the import takes
    fault           how it fails to start: "settings", "syntax", "port", "never", "crash", "quit"
    login           [name, password]: its page wants a login
    no_programs     true: it has no API for programs

Everything else is told by the message that it works on: the first word of its text. Tests that have no way to send one
post it to `/stand-in`.
"""

import hashlib
import base64
import http.server
import json
import os
import pathlib
import secrets
import signal
import subprocess
import sys
import threading
import time
import urllib.parse

HOME = pathlib.Path(__file__).resolve().parent
OPTIONS = json.loads((HOME / "stand_in.json").read_text())
ARGUMENTS = dict(argument[2:].split("=", 1) for argument in sys.argv[1:] if argument.startswith("--"))
PORT = int(ARGUMENTS["port"])
PREFIX = OPTIONS.get("prefix", "/api")
# What the page and the API are locked with; both die with the process.
SESSIONS, CHATS = {}, {}
LOCK = threading.Lock()
# Calls that were answered, for those who count.
LEDGER = HOME / "ledger.jsonl"


def ledger(what, **details):
    with LOCK, LEDGER.open("a") as file:
        file.write(json.dumps({"what": what, "pid": os.getpid(), **details}) + "\n")


def environment():
    """Moves `.env` as the real one does, and makes a key where there is none."""
    path = HOME / "usr/.env" if PREFIX or (HOME / "usr").is_dir() else HOME / ".env"
    if path.parent.name == "usr":
        path.parent.mkdir(exist_ok=True)
        if (HOME / ".env").exists():
            (HOME / ".env").rename(path)
    lines = path.read_text().splitlines() if path.exists() else []
    found = dict(line.split("=", 1) for line in lines if "=" in line)
    if "A0_PERSISTENT_RUNTIME_ID" not in found:
        found["A0_PERSISTENT_RUNTIME_ID"] = secrets.token_hex(16)
        with path.open("a") as file:
            file.write(f"\nA0_PERSISTENT_RUNTIME_ID={found['A0_PERSISTENT_RUNTIME_ID']}\n")
    return found


def token(settings):
    name, password = OPTIONS.get("login", ["", ""])
    text = f"{settings['A0_PERSISTENT_RUNTIME_ID']}:{name}:{password}"
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode().rstrip("=")[:16]


class Chat:
    def __init__(self, name):
        self.name = name
        self.guid = secrets.token_hex(8)
        self.items, self.updates = [], []
        self.running = False
        self.is_over = False
        self.num_refusals, self.silence = 0, 0
        self.log("response", "Hello! I'm Agent Zero.", finished=True)

    def log(self, kind, content, agentno=0, finished=False):
        with LOCK:
            item = {
                "no": len(self.items), "id": None, "type": kind, "heading": kind, "content": content,
                "kvps": {"finished": True} if finished else None, "timestamp": time.time(), "agentno": agentno,
            }
            self.items.append(item)
            self.updates.append(item["no"])

    def work(self, text):
        self.running = True
        word, _, rest = text.partition(" ")
        action = ACTIONS.get(word.strip(), answer)
        try:
            action(self, rest)
        finally:
            self.running = False

    def sleep(self, seconds):
        """Sleeps until the chat is over, and returns whether it is."""
        end = time.monotonic() + seconds
        while time.monotonic() < end and not self.is_over:
            time.sleep(0.02)
        return self.is_over


def answer(chat, rest):
    chat.log("agent", "thinking")
    chat.log("response", "of a subordinate", agentno=1, finished=True)
    chat.log("response", f"done: {rest}", finished=True)


def fail(text):
    def action(chat, rest):
        chat.log("warning", "Critical error occurred, retrying...")
        chat.log("error", text)
    return action


def loop(chat, rest):
    while not chat.sleep(0.01):
        chat.log("agent", "prose instead of JSON")


def wait(chat, rest):
    if not chat.sleep(float(rest.split()[0])):
        answer(chat, rest)


def wait_once(chat, rest):
    """Works for ever at first, and answers whoever asks again."""
    begun = HOME / "begun"
    if begun.exists():
        answer(chat, rest.splitlines()[0])
    else:
        begun.touch()
        chat.sleep(1000)


def spawn(chat, rest):
    """Starts a child in its group, and one that leaves it and its session."""
    subprocess.Popen(["sleep", "1000"])
    subprocess.Popen(["sleep", "1001"], start_new_session=True, stdin=subprocess.DEVNULL,
                     stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    answer(chat, rest)


def flood(chat, rest):
    line = ("x" * 98 + "\n").encode() * 1000
    for _ in range(int(rest.split()[0])):
        os.write(1, line)
    print("\x1b[1;31mthe flood is over\x1b[0m", flush=True)
    answer(chat, rest)


def complain(chat, rest):
    print("\x1b[31mError: the model says no to sk-canary0123456789\x1b[0m", flush=True)
    print("Traceback (most recent call last):", file=sys.stderr)
    print('  File "agent.py", line 1, in f', file=sys.stderr)
    print("litellm.RateLimitError: 429 for key " + os.environ.get("CANARY", "canary-from-env-file"), file=sys.stderr, flush=True)
    answer(chat, rest)


def crash(chat, rest):
    os._exit(int(rest.split()[0]))


def hang(chat, rest):
    """All ten threads are held: nothing is answered any more, and SIGTERM is waited out."""
    STUCK.set()


def silent(chat, rest):
    return None


ACTIONS = {
    "fail-auth": fail('litellm.AuthenticationError: "Incorrect API key"\nprovided: sk-canary0123456789'),
    "fail-rate": fail("litellm.RateLimitError: RateLimitError: 429"),
    "fail-down": fail("litellm.InternalServerError: InternalServerError: Connection error."),
    "loop": loop, "wait": wait, "wait-once": wait_once, "spawn": spawn, "flood": flood, "complain": complain, "crash": crash,
    "hang": hang, "silent": silent,
}
STUCK = threading.Event()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments):
        pass

    def reply(self, status, body, headers=(), kind="application/json"):
        data = (json.dumps(body) if not isinstance(body, str) else body).encode()
        self.send_response(status)
        for name, value in [("Content-Type", kind), ("Content-Length", str(len(data))), *headers]:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def refuse(self, status, text, headers=()):
        self.reply(status, text, headers, "text/html")

    def session(self):
        cookies = dict(pair.strip().split("=", 1) for pair in self.headers.get("Cookie", "").split(";") if "=" in pair)
        return SESSIONS.get(cookies.get("session"))

    def do_GET(self):
        self.handle_request("GET", {})

    def do_POST(self):
        data = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.headers.get("Content-Type") == "application/x-www-form-urlencoded":
            body = {name: values[0] for name, values in urllib.parse.parse_qs(data.decode()).items()}
        else:
            body = json.loads(data or b"{}")
        self.handle_request("POST", body)

    def handle_request(self, method, body):
        while STUCK.is_set():
            time.sleep(0.1)
        path = self.path
        if path == "/stand-in":
            self.reply(200, {})
            return threading.Thread(target=Chat("test").work, args=[body["text"]], daemon=True).start()
        if path == "/login" and method == "POST":
            return self.log_in(body)
        if not path.startswith(PREFIX + "/") or (PREFIX == "" and path.startswith("/api/")):
            return self.refuse(405 if method == "POST" else 404, "<h1>Not Found</h1>")
        name = path[len(PREFIX) + 1:]
        if name == "health":
            info = {"branch": "main", "commit_hash": "0", "short_tag": "v1.7", "version": "M v1.7"}
            return self.reply(200, {"gitinfo": info if PREFIX else None, "error": None})
        if name.startswith("api_") and not OPTIONS.get("no_programs"):
            return self.for_programs(name, body)
        return self.for_page(name, body)

    def log_in(self, body):
        if [body.get("username"), body.get("password")] != OPTIONS.get("login"):
            return self.refuse(200, "wrong")
        self.refuse(302, "", [self.open_session(True), ("Location", "/")])

    def open_session(self, is_logged_in):
        key = secrets.token_hex(8)
        SESSIONS[key] = {"token": secrets.token_hex(8), "is_logged_in": is_logged_in}
        return ("Set-Cookie", f"session={key}; HttpOnly; Path=/")

    def for_programs(self, name, body):
        key = self.headers.get("X-API-KEY")
        if key is None:
            return self.refuse(401, "API key required")
        if key != TOKEN:
            return self.refuse(401, "Invalid API key")
        chat = CHATS.get(body.get("context_id"))
        if chat is None:
            return self.reply(404, {"error": "Context not found"})
        if name == "api_terminate_chat":
            self.end_chat(chat)
            return self.reply(200, {"success": True})
        self.reply(200, {"context_id": chat.name, "log": {"items": chat.items}})

    def end_chat(self, chat):
        chat.is_over = True
        CHATS.pop(chat.name, None)
        ledger("ended", chat=chat.name)

    def for_page(self, name, body):
        session = self.session()
        if OPTIONS.get("login") and not (session and session["is_logged_in"]):
            return self.refuse(302, "", [("Location", "/login")])
        if name == "csrf_token":
            if self.headers.get("Origin") != f"http://127.0.0.1:{PORT}":
                return self.reply(200, {"ok": False, "error": "Origin not allowed"})
            headers = []
            if session is None:
                headers = [self.open_session(False)]
                session = list(SESSIONS.values())[-1]
            return self.reply(200, {"ok": True, "token": session["token"], "runtime_id": "x"}, headers)
        if session is None or self.headers.get("X-CSRF-Token") != session["token"]:
            return self.refuse(403, "CSRF token missing or invalid")
        function = getattr(self, "page_" + name, None)
        if function is None:
            return self.refuse(404, "<h1>Not Found</h1>")
        function(body)

    def page_message_async(self, body):
        text = body["text"]
        ledger("message", chat=body["context"], text=text.splitlines()[0])
        if text.startswith("no-json"):
            return self.refuse(500, '{"error": "litellm.RateLimitError: "too many"\nrequests"}')
        if text.startswith("swallow ") and not body["context"].endswith("-again"):
            return self.reply(200, {"message": "Message received.", "context": body["context"]})
        if text.startswith("late "):
            # Held up in the pool of threads, until after whoever sent it has left.
            ledger("arriving", chat=body["context"])
            time.sleep(float(text.split()[1]))
        if text.startswith("expire "):
            SESSIONS.clear()
        chat = CHATS.setdefault(body["context"], Chat(body["context"]))
        chat.log("user", text)
        chat.num_refusals = 3 if text.startswith("refuse ") else 0
        # Longer than a poll may take.
        chat.silence = 11 if text.startswith("slow ") else 0
        chat.running = True
        threading.Thread(target=chat.work, args=[text], daemon=True).start()
        self.reply(200, {"message": "Message received.", "context": chat.name})

    def page_poll(self, body):
        contexts = [{"id": chat.name, "name": "", "running": chat.running} for chat in list(CHATS.values())]
        chat = CHATS.get(body.get("context"))
        if chat is not None and chat.num_refusals > 0:
            chat.num_refusals -= 1
            return self.refuse(503, "busy")
        if chat is not None and chat.silence > 0:
            seconds, chat.silence = chat.silence, 0
            time.sleep(seconds)
        answer = {"contexts": contexts, "tasks": [], "logs": [], "log_guid": "", "log_version": 0}
        if chat is not None:
            with LOCK:
                numbers = sorted(set(chat.updates[body.get("log_from", 0):]))
                answer.update(logs=[chat.items[number] for number in numbers], log_guid=chat.guid,
                              log_version=len(chat.updates), context=chat.name)
        self.reply(200, answer)

    def page_chat_remove(self, body):
        if body["context"] in CHATS:
            self.end_chat(CHATS[body["context"]])
        self.reply(200, {"message": "Context removed."})


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True


def fail_to_start(fault):
    if fault == "settings":
        raise json.JSONDecodeError("Expecting value", "x", 0)
    if fault == "syntax":
        raise SyntaxError("invalid syntax")
    if fault == "port":
        print("ERROR:    [Errno 98] error while attempting to bind on address", flush=True)
        os._exit(3)
    if fault == "never":
        time.sleep(1000)
    if fault == "crash":
        os._exit(9)
    if fault == "quit":
        os._exit(0)


def on_terminate(number, frame):
    if STUCK.is_set():
        return
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    os.kill(os.getpid(), signal.SIGTERM)


print("\x1b[1;34mInitializing Python framework...\x1b[0m", flush=True)
signal.signal(signal.SIGTERM, on_terminate)
ledger("started", marker=os.environ.get("BORGOS_A0_INSTANCE"), dockerized=ARGUMENTS.get("dockerized"))
time.sleep(OPTIONS.get("start_seconds", 0))
if OPTIONS.get("fault"):
    fail_to_start(OPTIONS["fault"])
TOKEN = token(environment())
try:
    server = Server(("127.0.0.1", PORT), Handler)
except OSError as error:
    print(f"ERROR:    {error}", flush=True)
    os._exit(3)
print(f"INFO:     Uvicorn running on http://127.0.0.1:{PORT}", flush=True)
print("Agent Zero is running.", flush=True)
server.serve_forever()
