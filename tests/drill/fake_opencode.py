"""A small stand-in for the opencode binary: copied into a test's directory, with MODE and PYTHON filled in.

It has the commands that the drill uses and talks plain HTTP to the providers of its configuration. MODE:
``patched`` fails over as a good binary does; ``stock`` asks the first provider again and refuses the key
``provider_priority``; ``sloppy`` fails over, but keeps half text and runs tools twice; ``broken`` only fails.
"""

import contextlib
import http.client
import http.server
import json
import os
import subprocess
import sys
import threading
import time
import urllib.parse
from pathlib import Path
from queue import Queue

MODE = "@MODE@"
CONFIG = Path(os.environ["XDG_CONFIG_HOME"]) / "opencode" / "opencode.json"
STORED = Path(os.environ["XDG_DATA_HOME"]) / "session.json"
SESSION = "ses_1"


class FailedError(Exception):
    """The provider did not answer in full; ``parts`` came before."""

    def __init__(self, reason, parts):
        super().__init__(reason)
        self.parts = parts


def main(arguments):
    if MODE == "broken":
        sys.exit("this is no opencode")
    if arguments == ["--version"]:
        print("9.9.9")
        return
    config = json.loads(CONFIG.read_text())
    if MODE == "stock" and "provider_priority" in config:
        sys.exit('Unrecognized key: "provider_priority"')
    if arguments == ["models"]:
        if MODE != "stock":
            print("combined/claude-sonnet-4.5")
        for name, provider in config["provider"].items():
            for model in provider["models"]:
                print(f"{name}/{model}")
    elif arguments[0] == "run":
        assert arguments[1:3] == ["--format", "json"], arguments
        run(config, arguments[-1], "--session" in arguments)
    elif arguments == ["serve", "--hostname", "127.0.0.1", "--port", "0"]:
        serve(config)
    elif arguments[0] == "export":
        assert arguments[1] == SESSION
        print(STORED.read_text())
    elif arguments == ["session", "list", "--format", "json"]:
        print(json.dumps([{"id": SESSION}] if STORED.exists() else []))
    else:
        sys.exit(f"unknown command {arguments}")


def run(config, prompt, resumed):
    stored = json.loads(STORED.read_text()) if resumed else {"info": {}, "messages": []}
    history = [{"role": "system", "content": "You help."}]
    history.append({"role": "user", "content": prompt})
    if not resumed:
        stored["info"]["title"] = title(config, prompt)
    providers = list(config["provider"])
    while True:
        parts, provider = answer(config, providers, history)
        message = {"info": {"role": "assistant", "providerID": provider, "time": {"created": 1, "completed": 2}}}
        message["info"]["modelID"] = next(iter(config["provider"][provider]["models"]))
        message["info"]["cost"] = cost(config, provider, parts)
        message["parts"] = [settle(part, history) for part in parts if part["type"] != "finish"]
        stored["messages"].append(message)
        STORED.parent.mkdir(parents=True, exist_ok=True)
        STORED.write_text(json.dumps(stored))
        if not any(part["type"] == "tool" for part in parts):
            return


def serve(config):
    """The part of the HTTP API that the drill uses; a turn runs in a thread, as a second process would."""
    subscribers = []

    def publish(kind, **properties):
        event = json.dumps({"type": kind, "properties": {"sessionID": SESSION, **properties}})
        for each in subscribers:
            each.put(f"data: {event}\n\n".encode())

    def turn(prompt):
        with contextlib.suppress(SystemExit):
            run(config, prompt, STORED.exists())
            for number, message in enumerate(json.loads(STORED.read_text())["messages"]):
                id = f"m{number}"
                publish("message.updated", info={**message["info"], "id": id, "sessionID": SESSION})
                for place, part in enumerate(message["parts"]):
                    publish("message.part.updated", part={**part, "id": f"p{place}", "messageID": id})
            if MODE == "sloppy":
                publish("message.part.updated", part={"id": "x", "messageID": "m0", "type": "text", "text": "rest"})
        publish("session.idle")

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            body = json.loads(self.rfile.read(int(self.headers.get("content-length") or 0)) or "{}")
            if self.path.endswith("/prompt_async"):
                threading.Thread(target=turn, args=(body["parts"][0]["text"],), daemon=True).start()
            if self.path.endswith("/abort"):
                publish("session.idle")
            self.reply({"id": SESSION})

        def do_GET(self):
            if self.path == "/event":
                queue = Queue()
                subscribers.append(queue)
                self.send_response(200)
                self.end_headers()
                self.wfile.write(b"data: {}\n\n")
                while True:
                    self.wfile.write(queue.get())
            stored = json.loads(STORED.read_text()) if STORED.exists() else {"info": {}, "messages": []}
            asked = {"info": {"id": "u0", "role": "user"}, "parts": []}
            answers = {"children": [], "message": [asked, *stored["messages"]]}
            self.reply(answers.get(self.path.rpartition("/")[2], stored["info"]))

        def reply(self, data):
            content = json.dumps(data).encode()
            self.send_response(200)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    print(f"opencode server listening on http://127.0.0.1:{server.server_address[1]}", flush=True)
    server.serve_forever()


def answer(config, providers, history):
    kept = []
    tried = []
    while True:
        provider = providers[0]
        try:
            return kept + request(config, provider, history), provider
        except FailedError as failure:
            tried.append(f"{provider}: {failure}")
            if MODE == "sloppy":
                kept = failure.parts
            elif any(part["type"] == "tool" for part in failure.parts) and MODE == "patched":
                providers.append(providers.pop(0))
                return failure.parts, provider
            if MODE == "stock":
                time.sleep(0.2)
                continue
            if len(tried) >= len(providers):
                fail("no provider answers. " + "; ".join(tried))
            providers.append(providers.pop(0))


def fail(message):
    emit("error", error={"name": "Failure", "data": {"message": message}})
    sys.exit(1)


def title(config, prompt):
    system = {"role": "system", "content": "You are a title generator. Be brief."}
    messages = [system, {"role": "user", "content": prompt}]
    for provider in config["provider"]:
        try:
            return "".join(p["text"] for p in request(config, provider, messages) if p["type"] == "text")
        except FailedError:
            continue
    return "New session"


def request(config, name, messages):
    """The parts of one answer; raises FailedError with what came before the failure."""
    provider = config["provider"][name]
    url = urllib.parse.urlsplit(provider["options"]["baseURL"])
    body = {"model": next(iter(provider["models"])), "messages": messages, "stream": True}
    connection = http.client.HTTPConnection(url.hostname, url.port, timeout=20)
    lines = []
    try:
        headers = {"authorization": f"Bearer {provider['options']['apiKey']}"}
        connection.request("POST", url.path + "/chat/completions", json.dumps(body), headers)
        response = connection.getresponse()
        if response.status != 200:
            message = json.loads(response.read())["error"]["message"]
            if response.status == 400:
                fail(message)
            raise FailedError(f"{response.status} {message}", [])
        for line in response:
            lines.append(line)
    except (OSError, http.client.HTTPException) as error:
        raise FailedError(repr(error), parse(lines)) from error
    parts = parse(lines)
    if not any(part["type"] == "finish" for part in parts):
        raise FailedError("no finish", parts)
    return parts


def parse(lines):
    text, calls, finished = "", {}, False
    for line in lines:
        if not line.startswith(b"data: {"):
            continue
        event = json.loads(line[6:])
        for choice in event.get("choices", []):
            text += choice["delta"].get("content", "")
            for call in choice["delta"].get("tool_calls", []):
                known = calls.setdefault(call["index"], {"id": call.get("id"), "arguments": ""})
                known["arguments"] += call["function"]["arguments"]
            finished = finished or bool(choice["finish_reason"])
    parts = [{"type": "text", "text": text, "time": {"end": 1}}] if text else []
    for call in calls.values():
        with contextlib.suppress(ValueError):
            parts.append({"type": "tool", "callID": call["id"], "input": json.loads(call["arguments"])})
    return parts + ([{"type": "finish"}] if finished else [])


def settle(part, history):
    """Run a tool, print a part, and put it into the history."""
    if part["type"] == "text":
        emit("text", part=part)
        history.append({"role": "assistant", "content": part["text"]})
        return part
    for _ in range(2 if MODE == "sloppy" else 1):
        subprocess.run(["/bin/sh", "-c", part["input"]["command"]], check=True)
    call = {"id": part["callID"], "type": "function", "function": {"name": "bash", "arguments": "{}"}}
    if history[-1]["role"] == "assistant":
        history[-1]["tool_calls"] = [call]
    else:
        history.append({"role": "assistant", "content": "", "tool_calls": [call]})
    history.append({"role": "tool", "tool_call_id": part["callID"], "content": "done"})
    part["state"] = {"status": "completed"}
    part["tool"] = "bash"
    emit("tool_use", part=part)
    return part


def cost(config, provider, parts):
    price = next(iter(config["provider"][provider]["models"].values()))["cost"]
    finished = sum(part["type"] == "finish" for part in parts)
    return finished * (1000 * price["input"] + 100 * price["output"]) / 1_000_000


def emit(kind, **data):
    print(json.dumps({"type": kind, "sessionID": SESSION, **data}), flush=True)


main(sys.argv[1:])
