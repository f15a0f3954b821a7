from __future__ import annotations

import http.client
import json
import socket
import struct
import threading
import time
import urllib.parse
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest

from opencode_patcher.drill.fakes.conversation import Purpose
from opencode_patcher.drill.fakes.fake_provider import FakeProvider
from opencode_patcher.drill.fakes.faults import At, Broken, ChunkKind, Fault, How, HttpError, Slow
from opencode_patcher.drill.fakes.provider import ProviderSpec
from opencode_patcher.drill.fakes.server import hosting
from opencode_patcher.drill.scenarios.quick import ALPHA, ERRAND, GREETING

PATH = "/alpha/v1/chat/completions"
GREETING_TEXT = GREETING.replies[0].text("alpha")


@contextmanager
def serving(provider: ProviderSpec) -> Iterator[FakeProvider]:
    with hosting([FakeProvider(provider, (GREETING, ERRAND))]) as [fake]:
        yield fake


@contextmanager
def failing(*faults: Fault | None) -> Iterator[FakeProvider]:
    with serving(replace(ALPHA, faults=faults)) as fake:
        yield fake


def body(prompt: str = GREETING.prompt, *more: dict[str, Any], **changes: object) -> dict[str, Any]:
    return {"model": ALPHA.model, "messages": [{"role": "user", "content": prompt}, *more], **changes}


def connect(fake: FakeProvider) -> http.client.HTTPConnection:
    port = int(fake.base_url.split(":")[2].split("/")[0])
    return http.client.HTTPConnection("127.0.0.1", port, timeout=10)


def post(
    fake: FakeProvider, content: dict[str, Any] | bytes, key: str = ALPHA.key, path: str = PATH
) -> tuple[int, dict[str, str], bytes]:
    connection = connect(fake)
    raw = content if isinstance(content, bytes) else json.dumps(content).encode()
    try:
        connection.request("POST", path, raw, {"Authorization": f"Bearer {key}"})
        response = connection.getresponse()
        return response.status, dict(response.getheaders()), response.read()
    finally:
        connection.close()


def text_of(stream: bytes) -> str:
    events = [line[6:] for line in stream.split(b"\n") if line.startswith(b"data: {")]
    return "".join(json.loads(event)["choices"][0]["delta"].get("content", "") for event in events)


def test_a_healthy_answer_is_a_complete_stream() -> None:
    with serving(ALPHA) as fake:
        status, headers, stream = post(fake, body())
        assert (status, headers["content-type"]) == (200, "text/event-stream")
        assert text_of(stream) == GREETING_TEXT
        assert stream.endswith(b"data: [DONE]\n\n")
        (exchange,) = fake.exchanges
    assert (exchange.purpose, exchange.status, exchange.violations) == (Purpose.TURN, 200, ())
    assert exchange.finished is not None
    assert exchange.arrived <= exchange.finished
    assert exchange.sent[-1].kind is ChunkKind.DONE
    assert not exchange.failed


def test_the_same_question_gets_the_same_answer_and_the_next_step_the_next_reply() -> None:
    call = {"id": "call_append-beta0", "type": "function", "function": {"name": "bash", "arguments": "{}"}}
    done = (
        {"role": "assistant", "content": "", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "call_append-beta0", "content": "ok"},
    )
    with serving(ALPHA) as fake:
        first = [b'"bash"' in post(fake, body(ERRAND.prompt))[2] for _ in range(2)]
        after = text_of(post(fake, body(ERRAND.prompt, *done))[2])
    assert first == [True, True]
    assert after == "The line is there, says alpha."


def test_an_error_status_carries_its_headers_and_ends_with_its_turn() -> None:
    fault = HttpError(status=429, message="Slow down", code="rate_limit_exceeded", headers={"retry-after": "36000"})
    with failing(fault) as fake:
        status, headers, content = post(fake, body())
        assert (status, headers["retry-after"]) == (429, "36000")
        assert json.loads(content)["error"]["message"] == "Slow down"
        assert post(fake, body())[0] == 200
        assert [exchange.failed for exchange in fake.exchanges] == [True, False]


def test_titles_are_answered_separately_from_the_faults_of_the_conversation() -> None:
    title = {"role": "system", "content": "You are a title generator. You output ONLY a thread title."}
    request = {"model": ALPHA.model, "messages": [title, {"role": "user", "content": GREETING.prompt}]}
    with failing(HttpError(status=503, message="no")) as fake:
        assert text_of(post(fake, request)[2]) == "Failover drill"
        assert post(fake, body())[0] == 503
        assert [exchange.purpose for exchange in fake.exchanges] == [Purpose.TITLE, Purpose.TURN]


@pytest.mark.parametrize(
    ("content", "key", "status", "complaint"),
    [
        (body(), "another", 401, "key of alpha"),
        (body(model="gpt-5"), ALPHA.key, 404, "no model 'gpt-5'"),
        (
            body(GREETING.prompt, {"role": "tool", "tool_call_id": "x", "content": ""}),
            ALPHA.key,
            400,
            "without a matching",
        ),
        (body("Something else."), ALPHA.key, 400, "no prompt of the scenario"),
    ],
)
def test_a_wrong_request_is_refused_and_remembered(
    content: dict[str, Any], key: str, status: int, complaint: str
) -> None:
    with serving(ALPHA) as fake:
        assert post(fake, content, key)[0] == status
        (violation,) = fake.exchanges[0].violations
    assert complaint in violation


@pytest.mark.parametrize("method", ["POST", "GET"])
def test_a_request_to_an_unknown_path_is_a_violation(method: str) -> None:
    with serving(ALPHA) as fake:
        connection = http.client.HTTPConnection(urllib.parse.urlsplit(fake.base_url).netloc)
        connection.request(method, "/alpha/v1/other", b"{}")
        assert connection.getresponse().status == 404
        connection.close()
        (found,) = fake.exchanges
    assert found.violations == (f"there is no {method} /v1/other",)


def test_an_invalid_request_is_refused_without_a_record() -> None:
    with serving(ALPHA) as fake:
        assert post(fake, b"nonsense")[0] == 400
        assert post(fake, b"[]")[0] == 400
        assert fake.exchanges == ()


def raw_answer(fake: FakeProvider) -> tuple[bytes, bool]:
    """All bytes up to the end of the connection, and whether it ended in a reset."""
    port = int(fake.base_url.split(":")[2].split("/")[0])
    content = json.dumps(body()).encode()
    head = f"POST {PATH} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {ALPHA.key}\r\n"
    head += f"Content-Length: {len(content)}\r\n\r\n"
    received = b""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(head.encode() + content)
        try:
            while chunk := connection.recv(65536):
                received += chunk
        except ConnectionResetError:
            return received, True
    return received, False


def test_a_reset_comes_after_the_promised_events() -> None:
    with failing(Broken(at=At.TEXT, how=How.RESET)) as fake:
        received, reset = raw_answer(fake)
        (exchange,) = fake.exchanges
    assert reset
    assert b'"the "' in received
    assert b'"whole "' not in received
    assert b"[DONE]" not in received
    assert b"0\r\n\r\n" not in received
    assert exchange.failed
    assert exchange.finished is not None


def test_a_close_is_a_clean_end_in_the_middle() -> None:
    with failing(Broken(at=At.TEXT, how=How.CLOSE)) as fake:
        received, reset = raw_answer(fake)
    assert not reset
    assert b'"Hello "' in received
    assert not received.endswith(b"0\r\n\r\n")


def test_a_stream_can_end_cleanly_without_a_finish() -> None:
    with failing(Broken(at=At.TEXT, how=How.END)) as fake:
        _, _, stream = post(fake, body())
    assert GREETING_TEXT.startswith(text_of(stream))
    assert b'"stop"' not in stream
    assert stream.endswith(b"data: [DONE]\n\n")


def test_an_error_event_ends_a_200_stream() -> None:
    with failing(Broken(at=At.TEXT, how=How.ERROR_EVENT, message="Overloaded")) as fake:
        status, _, stream = post(fake, body())
    assert status == 200
    assert json.loads(stream.strip().split(b"\n")[-1][6:])["error"]["message"] == "Overloaded"


def test_a_stalled_stream_stays_open_until_the_client_hangs_up() -> None:
    with failing(Broken(at=At.TEXT, how=How.STALL)) as fake:
        connection = connect(fake)
        connection.request("POST", PATH, json.dumps(body()), {"Authorization": f"Bearer {ALPHA.key}"})
        response = connection.getresponse()
        assert response.read1(10)
        assert fake.exchanges[0].finished is None
        response.close()
        connection.close()
        until(lambda: fake.exchanges[0].finished is not None)
        assert fake.exchanges[0].hung_up


def test_stopping_ends_a_stalled_answer() -> None:
    with failing(Broken(at=At.TEXT, how=How.STALL)) as fake:
        ended = threading.Event()

        def ask() -> None:
            raw_answer(fake)
            ended.set()

        threading.Thread(target=ask, daemon=True).start()
        until(lambda: fake.exchanges and len(fake.exchanges[0].sent) > 2)
    assert ended.wait(10)


def test_a_slow_answer_is_healthy() -> None:
    with failing(Slow(seconds=0.05)) as fake:
        assert text_of(post(fake, body())[2]) == GREETING_TEXT
        assert not fake.exchanges[0].failed


def test_a_provider_that_does_not_listen_refuses() -> None:
    with serving(replace(ALPHA, listening=False)) as fake, pytest.raises(ConnectionRefusedError):
        post(fake, body())


def test_a_client_that_disconnects_is_recorded() -> None:
    with failing(Slow(seconds=0.3)) as fake:
        port = int(fake.base_url.split(":")[2].split("/")[0])
        content = json.dumps(body()).encode()
        head = f"POST {PATH} HTTP/1.1\r\nAuthorization: Bearer {ALPHA.key}\r\n"
        connection = socket.create_connection(("127.0.0.1", port), timeout=10)
        connection.sendall(f"{head}Content-Length: {len(content)}\r\n\r\n".encode() + content)
        until(lambda: fake.exchanges)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()
        until(lambda: fake.exchanges[0].finished is not None)
        assert fake.exchanges[0].hung_up


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline, "nothing happened"
        time.sleep(0.01)
