"""A small stand-in for the opencode binary: copied into a test's directory, with MODE filled in.

It has the commands that the drill uses and talks plain HTTP to the providers of its configuration, which is the
home's with the project's on top. MODE: ``patched`` fails over as a good binary does; ``stock`` asks the first provider
again and refuses the key ``provider_priority``; ``sloppy`` fails over, but keeps half text and runs tools twice;
``slow`` is ``patched`` and sleeps SLOW_SECONDS before each turn but the first of a project; ``broken`` only fails.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import http.client
import http.server
import json
import os
import subprocess
import sys
import threading
import time
import urllib.parse
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from queue import Queue
from typing import Any, NoReturn

MODE = "@MODE@"
SLOW_SECONDS = 2.0
CONFIG = Path(os.environ["XDG_CONFIG_HOME"]) / "opencode" / "opencode.json"
DATA = Path(os.environ["XDG_DATA_HOME"])

Json = dict[str, Any]
Emit = Callable[..., None]


class FailedError(Exception):
    """The provider did not answer in full; ``parts`` came before."""

    def __init__(self, reason: str, parts: list[Json]) -> None:
        super().__init__(reason)
        self.parts = parts


class TurnError(Exception):
    """The turn ends with an error that the user is shown."""


class Project:
    """A directory with its configuration and its one session, which the next turn continues if told to."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.id = "ses_" + hashlib.sha256(str(directory).encode()).hexdigest()[:8]
        self.stored = DATA / f"{self.id}.json"
        self.config: Json = {}
        for path in (CONFIG, directory / "opencode.json"):
            if path.exists():
                self.config |= json.loads(path.read_text())
        if MODE == "stock" and "provider_priority" in self.config:
            raise ValueError('Unrecognized key: "provider_priority"')

    def read(self) -> Json:
        empty: Json = {"info": {}, "messages": []}
        return json.loads(self.stored.read_text()) if self.stored.exists() else empty

    def write(self, stored: Json) -> None:
        """In one step: the server reads it while a turn writes it."""
        draft = self.stored.with_suffix(f".{threading.get_ident()}")
        draft.write_text(json.dumps(stored))
        draft.replace(self.stored)

    def models(self) -> list[str]:
        own = [f"{name}/{model}" for name, one in self.config.get("provider", {}).items() for model in one["models"]]
        return own if MODE == "stock" else ["combined/claude-sonnet-4.5", *own]

    def members(self, model: str) -> list[str]:
        """The providers that may serve a model, in order: those of a group, or all, or for a stock binary the one."""
        provider, _, name = model.partition("/")
        if provider != "combined":
            return [provider]
        group = self.config.get("combined", {}).get("groups", {}).get(name)
        return [one.partition("/")[0] for one in group] if group else list(self.config["provider"])


def main(arguments: list[str]) -> None:
    if MODE == "broken":
        sys.exit("this is no opencode")
    if arguments == ["--version"]:
        print("9.9.9")
        return
    if arguments == ["serve", "--hostname", "127.0.0.1", "--port", "0"]:
        serve()
        return
    try:
        project = Project(Path.cwd())
    except ValueError as error:
        sys.exit(str(error))
    if arguments == ["models"]:
        print("\n".join(project.models()))
    elif arguments[0] == "run":
        assert arguments[1:3] == ["--format", "json"], arguments
        model = arguments[arguments.index("--model") + 1]
        try:
            run(project, model, arguments[-1], "--session" in arguments, printer(project.id))
        except TurnError:
            sys.exit(1)
    elif arguments[0] == "export":
        assert arguments[1] == project.id
        print(project.stored.read_text())
    elif arguments == ["session", "list", "--format", "json"]:
        print(json.dumps([{"id": project.id}] if project.stored.exists() else []))
    else:
        sys.exit(f"unknown command {arguments}")


def printer(session: str) -> Emit:
    def emit(kind: str, **data: object) -> None:
        print(json.dumps({"type": kind, "sessionID": session, **data}), flush=True)

    return emit


def run(project: Project, model: str, prompt: str, resumed: bool, emit: Emit) -> None:
    stored = project.read() if resumed else {"info": {}, "messages": []}
    history: list[Json] = [{"role": "system", "content": "You help."}, {"role": "user", "content": prompt}]
    providers = project.members(model)
    if not stored["info"].get("title"):
        stored["info"]["title"] = title(project.config, providers, prompt)
    while True:
        parts, provider = answer(project.config, providers, history, emit)
        message: Json = {"info": {"role": "assistant", "providerID": provider, "time": {"created": 1, "completed": 2}}}
        message["info"]["modelID"] = next(iter(project.config["provider"][provider]["models"]))
        message["info"]["cost"] = cost(project.config, provider, parts)
        message["info"]["finish"] = "stop"
        message["parts"] = [settle(project, part, history, emit) for part in parts if part["type"] != "finish"]
        emit("step_finish", part={"type": "step-finish", "cost": message["info"]["cost"]})
        stored["messages"].append(message)
        stored["info"]["cost"] = sum(one["info"]["cost"] for one in stored["messages"])
        DATA.mkdir(parents=True, exist_ok=True)
        project.write(stored)
        if not any(part["type"] == "tool" for part in parts):
            return


def serve() -> None:
    """The part of the HTTP API that the drill uses; a turn runs in a thread, as a second process would."""
    subscribers: dict[str, list[Queue[bytes]]] = {}
    aborts: Counter[str] = Counter()
    asked: list[Json] = []
    """The model of the second API's session, then what the user has asked there."""
    wanted = "Basic " + base64.b64encode(f"opencode:{os.environ['OPENCODE_SERVER_PASSWORD']}".encode()).decode()

    def publish(project: Project, kind: str, **properties: object) -> None:
        event = json.dumps({"type": kind, "properties": {"sessionID": project.id, **properties}})
        for each in subscribers.get(str(project.directory), []):
            each.put(f"data: {event}\n\n".encode())

    def turn(project: Project, model: str, prompt: str) -> None:
        numbers = iter(range(1000))

        def emit(kind: str, **data: Any) -> None:
            if kind == "error":
                publish(project, "session.error", error=data["error"])
                return
            part = {**data["part"], "sessionID": project.id, "id": f"e{time.monotonic_ns()}{next(numbers)}"}
            publish(project, "message.part.updated", part={**part, "messageID": "events-only"})

        if MODE == "slow" and project.stored.exists():
            before = aborts[project.id]
            time.sleep(SLOW_SECONDS)
            if aborts[project.id] != before:
                return
        with contextlib.suppress(TurnError):
            run(project, model, prompt, project.stored.exists(), emit)
            for number, message in enumerate(project.read()["messages"]):
                id = f"m{number}"
                publish(project, "message.updated", info={**message["info"], "id": id, "sessionID": project.id})
                for place, part in enumerate(message["parts"]):
                    # Without a session id, a client does not print these parts: they were printed already.
                    publish(project, "message.part.updated", part={**part, "id": f"p{place}", "messageID": id})
            if MODE == "sloppy":
                rest = {"id": "x", "messageID": "m0", "type": "text", "text": "rest"}
                publish(project, "message.part.updated", part=rest)
        publish(project, "session.idle")

    class Handler(http.server.BaseHTTPRequestHandler):
        def project(self) -> Project | None:
            """The project that the request names; without one the answer is out already."""
            if self.headers["authorization"] != wanted:
                self.reply({"error": "wrong password"}, 401)
                return None
            try:
                return Project(Path(urllib.parse.unquote(self.headers.get("x-opencode-directory") or str(Path.cwd()))))
            except ValueError as error:
                self.reply({"error": str(error)}, 400)
                return None

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers.get("content-length") or 0)) or "{}")
            project = self.project()
            if project is None:
                return
            if self.path == "/session":
                project.stored.unlink(missing_ok=True)
            if self.path.endswith("/prompt_async"):
                model = f"{body['model']['providerID']}/{body['model']['modelID']}"
                arguments = (project, model, body["parts"][0]["text"])
                threading.Thread(target=turn, args=arguments, daemon=True).start()
            if self.path == "/api/session":
                project.stored.unlink(missing_ok=True)
                asked.clear()
                asked.append(body["model"])
                self.reply({"data": {"id": project.id}})
                return
            if self.path.endswith("/prompt"):
                model = f"{asked[0]['providerID']}/{asked[0]['id']}"
                if MODE == "stock":
                    self.reply({"message": f"{model} is refused: POST /session/:id/message can."}, 409)
                    return
                asked.append({"type": "user"})
                arguments = (project, model, body["prompt"]["text"])
                threading.Thread(target=turn, args=arguments, daemon=True).start()
            if self.path.endswith("/abort"):
                aborts[project.id] += 1
                publish(project, "session.idle")
            self.reply({"id": project.id})

        def do_GET(self) -> None:
            project = self.project()
            if project is None:
                return
            if self.path == "/event":
                queue: Queue[bytes] = Queue()
                subscribers.setdefault(str(project.directory), []).append(queue)
                self.send_response(200)
                self.end_headers()
                self.wfile.write(b"data: {}\n\n")
                with contextlib.suppress(OSError):
                    while True:
                        self.wfile.write(queue.get())
                return
            stored = project.read()
            prompt = {"info": {"id": "u0", "role": "user"}, "parts": []}
            providers: dict[str, Json] = {}
            for model in project.models():
                provider, _, name = model.partition("/")
                providers.setdefault(provider, {"id": provider, "models": {}})["models"][name] = {}
            answers: dict[str, object] = {
                "/global/health": {"healthy": True, "version": "9.9.9"},
                "/config/providers": {"providers": list(providers.values())},
                "/session": [{"id": project.id}] if project.stored.exists() else [],
                f"/session/{project.id}": stored["info"],
                f"/session/{project.id}/children": [],
                f"/session/{project.id}/message": [prompt, *stored["messages"]],
            }
            if self.path.startswith("/api/"):
                answers = second_api(project, stored["messages"], asked)
            found = answers.get(self.path)
            self.reply({"error": "no such path"} if found is None else found, 404 if found is None else 200)

        def reply(self, data: object, status: int = 200) -> None:
            content = json.dumps(data).encode()
            self.send_response(status)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *arguments: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    DATA.mkdir(parents=True, exist_ok=True)
    (DATA / "serve.pid").write_text(str(os.getpid()))
    print(f"opencode server listening on http://127.0.0.1:{server.server_address[1]}", flush=True)
    server.serve_forever()


def second_api(project: Project, messages: list[Json], asked: list[Json]) -> dict[str, object]:
    """What the second API says of the same things: the session is at rest once each prompt has its whole answer."""
    answers = [
        {
            "type": "assistant",
            "model": {"providerID": one["info"]["providerID"], "id": one["info"]["modelID"]},
            "finish": one["info"]["finish"],
            "time": {"completed": 2},
            "content": [part | ({"id": part["callID"]} if "callID" in part else {}) for part in one["parts"]],
        }
        for one in messages
    ]
    ended = sum(not any(part["type"] == "tool" for part in one["parts"]) for one in messages)
    working = ended < len(asked) - 1
    newest = answers[-1:] if answers and not working else asked[-1:]
    listed = [dict(zip(("providerID", "id"), model.split("/", 1), strict=True)) for model in project.models()]
    session = f"/api/session/{project.id}"
    return {
        "/api/model": {"data": listed},
        "/api/session/active": {"data": {project.id: {"type": "running"}} if working else {}},
        session: {"data": {"id": project.id}},
        f"{session}/message?order=asc": {"data": [*asked[1:], *answers]},
        f"{session}/message?order=desc&limit=1": {"data": newest},
    }


def answer(config: Json, providers: list[str], history: list[Json], emit: Emit) -> tuple[list[Json], str]:
    kept: list[Json] = []
    tried: list[str] = []
    while True:
        provider = providers[0]
        try:
            return kept + request(config, provider, history), provider
        except FailedError as failure:
            tried.append(f"{provider}: {failure}")
            if MODE == "sloppy":
                kept = failure.parts
            elif any(part["type"] == "tool" for part in failure.parts) and MODE != "stock":
                providers.append(providers.pop(0))
                return failure.parts, provider
            if MODE == "stock":
                time.sleep(0.2)
                continue
            if len(tried) >= len(providers) or "400" in str(failure):
                fail("no provider answers. " + "; ".join(tried), emit)
            providers.append(providers.pop(0))


def fail(message: str, emit: Emit) -> NoReturn:
    emit("error", error={"name": "Failure", "data": {"message": message}})
    raise TurnError(message)


def title(config: Json, providers: list[str], prompt: str) -> str:
    system = {"role": "system", "content": "You are a title generator. Be brief."}
    messages = [system, {"role": "user", "content": prompt}]
    for provider in providers:
        try:
            return "".join(p["text"] for p in request(config, provider, messages) if p["type"] == "text")
        except FailedError:
            continue
    return "New session"


def request(config: Json, name: str, messages: list[Json]) -> list[Json]:
    """The parts of one answer; raises FailedError with what came before the failure."""
    provider = config["provider"][name]
    url = urllib.parse.urlsplit(provider["options"]["baseURL"])
    body = {"model": next(iter(provider["models"])), "messages": messages, "stream": True}
    connection = http.client.HTTPConnection(url.hostname or "", url.port, timeout=20)
    lines: list[bytes] = []
    try:
        headers = {"authorization": f"Bearer {provider['options']['apiKey']}"}
        connection.request("POST", url.path + "/chat/completions", json.dumps(body), headers)
        response = connection.getresponse()
        if response.status != 200:
            message = json.loads(response.read())["error"]["message"]
            raise FailedError(f"{response.status} {message}", [])
        for line in response:
            lines.append(line)
    except (OSError, http.client.HTTPException) as error:
        raise FailedError(repr(error), parse(lines)) from error
    parts = parse(lines)
    if not any(part["type"] == "finish" for part in parts):
        raise FailedError("no finish", parts)
    return parts


def parse(lines: list[bytes]) -> list[Json]:
    text, finished = "", False
    calls: dict[int, Json] = {}
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
    parts: list[Json] = [{"type": "text", "text": text, "time": {"end": 1}}] if text else []
    for call in calls.values():
        with contextlib.suppress(ValueError):
            parts.append({"type": "tool", "callID": call["id"], "input": json.loads(call["arguments"])})
    return parts + ([{"type": "finish"}] if finished else [])


def settle(project: Project, part: Json, history: list[Json], emit: Emit) -> Json:
    """Run a tool, print a part, and put it into the history."""
    if part["type"] == "text":
        emit("text", part=part)
        history.append({"role": "assistant", "content": part["text"]})
        return part
    for _ in range(2 if MODE == "sloppy" else 1):
        subprocess.run(["/bin/sh", "-c", part["input"]["command"]], check=True, cwd=project.directory)
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


def cost(config: Json, provider: str, parts: list[Json]) -> float:
    price = next(iter(config["provider"][provider]["models"].values()))["cost"]
    finished = sum(part["type"] == "finish" for part in parts)
    return float(finished * (1000 * price["input"] + 100 * price["output"]) / 1_000_000)


main(sys.argv[1:])
