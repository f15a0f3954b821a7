"""Collects what an error says about itself. Twin of ``templates/combined/failure/collect.ts``, which has the reasons.
This one takes plain data: dictionaries, lists and texts.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeGuard

SPACE = (
    " \t\n\r\f\v\xa0\ufeff\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000"
)
"""JavaScript's white space."""

_S = f"[{SPACE}]"


@dataclass
class Seen:
    """What was found. ``codes`` keep their order; ``spelled`` are the codes as words: "model not found"."""

    status: int | None = None
    codes: dict[str, None] = field(default_factory=dict)
    spelled: dict[str, None] = field(default_factory=dict)
    texts: list[str] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
    page: bool = False


DEPTH = 12
LONGEST_TEXT, LONGEST_END, LONGEST_BODY = 8000, 2000, 1_000_000
MOST_TEXTS, MOST_VALUES, MOST_CODES = 100, 2000, 200

STATUSES = ("statuscode", "status", "code", "httpstatus", "httpstatuscode", "rawstatuscode")

CODES = ("code", "type", "name", "status", "reason", "errorcode", "quotaid", "domain")

SENTENCES = (
    "message",
    "msg",
    "statusmsg",
    "statusmessage",
    "errormsg",
    "errormessage",
    "errmsg",
    "errordescription",
    "faultstring",
    "detail",
    "details",
    "title",
    "description",
    "body",
    "raw",
    "lastupstreamerror",
)

INSIDE = (
    "lasterror",
    "cause",
    "error",
    "errors",
    "fault",
    "exception",
    "data",
    "header",
    "response",
    "responsebody",
    "metadata",
    "violations",
    "baseresp",
    "innererror",
    "debug",
    "value",
    *SENTENCES,
)

TIME = re.compile(
    "(?:next|quota|limit|window|usage)?"
    "(?:resets?(?:at|in|on|after|time|timestamp|date|delay|seconds|ms|afterseconds|inseconds)|"
    "retry(?:after|in|at|delay)(?:seconds|secs|ms)?|"
    "(?:cooldown|wait)(?:seconds|secs|ms)|(?:next)?availableat|estimatedtime)"
)
"""Fields that say when a limit ends."""

_KEY = re.compile(r"[A-Za-z_-]{1,40}", re.ASCII)


def collect(error: object) -> Seen:
    """What ``error`` says. The result is bounded for any input."""
    reader = _Reader()
    reader.visit(error, DEPTH)
    return reader.seen


class _Reader:
    def __init__(self) -> None:
        self.seen = Seen()
        self.visited: set[int] = set()

    def add(self, code: str) -> None:
        if len(self.seen.codes) < MOST_CODES:
            self.seen.codes.setdefault(code[:200].lower())
            if words := _spelled(code):
                self.seen.spelled.setdefault(words)

    def say(self, text: str) -> None:
        if len(self.seen.texts) < MOST_TEXTS:
            self.seen.texts.append(text)

    def read(self, text: str, depth: int) -> None:
        if not text.strip(SPACE):
            return
        if (value := _parsed(text)) is not None:
            self.visit(value, depth - 1)
            return
        if (inside := _quoted(text)) is not None:
            self.visit(inside, depth - 1)
            return
        if re.match(f"{_S}*<(?:!doctype|html|head|body)", text, re.IGNORECASE | re.ASCII):
            self.seen.page = True
            self.title(text)
            self.say(_bounded(text))
            return
        if _PAGE.search(text):
            self.title(text)
        for inner in _embedded(text):
            self.visit(inner, depth - 1)
        codes, texts = _unquoted(text)
        for code in codes:
            self.add(code)
        for found in texts:
            self.say(found)
        if numbered := re.match(r"\[([0-9]{3,5})\]", text):
            self.add(numbered[1])
        self.say(_bounded(text).replace("\u2019", "'"))

    def title(self, page: str) -> None:
        tags = (re.search(f"<{tag}[^>]{{0,100}}>([^<]{{1,300}})", page, re.IGNORECASE) for tag in ("title", "h1"))
        if found := next(filter(None, tags), None):
            self.say(found[1].strip(SPACE))

    def visit(self, value: object, depth: int) -> None:
        if depth == 0 or id(value) in self.visited or len(self.visited) >= MOST_VALUES:
            return
        if isinstance(value, str):
            self.read(value, depth)
        elif isinstance(value, list):
            self.visited.add(id(value))
            for item in value[:MOST_VALUES]:
                self.visit(item, depth)
        elif isinstance(value, dict):
            self.visited.add(id(value))
            self.visit_object(value, depth)

    def visit_object(self, item: Mapping[str, Any], depth: int) -> None:
        seen = self.seen
        fields = _fields(item)
        if seen.status is None:
            seen.status = _status_of(fields)
        for key in CODES:
            code = fields.get(key)
            if isinstance(code, str) and code:
                self.add(code)
            elif _is_number(code):
                self.add(_number(code))
        base = fields.get("baseresp")
        minimax = base.get("status_code") if isinstance(base, dict) else None
        if minimax and (isinstance(minimax, str) or _is_number(minimax)):
            self.add(f"base_resp:{minimax if isinstance(minimax, str) else _number(minimax)}")
        for key, time in item.items():
            if not TIME.fullmatch(_plain(key)):
                continue
            if _is_number(time) or (isinstance(time, str) and len(time) < 60):
                self.say(f'"{key}":"{time if isinstance(time, str) else _number(time)}"')
        for headers in (fields.get("responseheaders"), fields.get("headers")):
            if isinstance(headers, dict):
                seen.headers = _textual(headers) | seen.headers
        kind = seen.headers.get("x-amzn-errortype", "").split(":")[0]
        if kind:
            self.add(kind)
        named = [key for key, value in item.items() if key.endswith("Exception") and _is_true(value)]
        for key in named:
            self.add(key)
        for key in INSIDE if fields.get("lasterror") is None else ("lasterror",):
            self.visit(fields.get(key), depth - 1)
        if fields.get("lasterror") is None:
            for key in named:
                self.visit(item[key], depth - 1)


def _plain(key: str) -> str:
    """A field's name without its case and hyphens; "" for one that no vendor uses."""
    return re.sub("[_-]", "", key).lower() if _KEY.fullmatch(key) else ""


def _fields(item: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in item.items():
        found.setdefault(_plain(key), value)
    return found


def _spelled(code: str) -> str:
    """A code as words; "" for one that is none, or just one word."""
    if not re.fullmatch(r"[A-Za-z0-9_.:/-]{4,100}", code, re.ASCII):
        return ""
    parted = re.sub("([a-z0-9])([A-Z])", r"\1 \2", code)
    words = re.sub("[_.:/ -]+", " ", parted).strip(" ").lower()
    return words if " " in words else ""


def _is_number(value: object) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_true(value: object) -> bool:
    return isinstance(value, dict | list) or bool(value)


def _number(value: Any) -> str:
    """A number as JavaScript prints it, if it is no larger than a code can be."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() and abs(value) < 1e21 else str(value)


def _status_of(item: Mapping[str, Any]) -> int | None:
    for key in STATUSES:
        value = item.get(key)
        if isinstance(value, str) and re.fullmatch(r"[345][0-9]{2}", value):
            return int(value)
        if _is_number(value) and 300 <= value < 600:
            return int(value)
    return None


def _refuse(name: str) -> object:
    raise ValueError(f"{name} is not JSON")


def _parsed(text: str) -> object | None:
    if len(text) > LONGEST_BODY or text.lstrip(SPACE)[:1] not in ("{", "["):
        return None
    try:
        # Like JavaScript, this accepts only JSON's own white space around the value.
        value = json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict | list) else None


def _quoted(text: str) -> str | None:
    """A body that is just a string."""
    if len(text) > LONGEST_BODY or text.strip(SPACE)[:1] != '"':
        return None
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, str) else None


def _embedded(text: str) -> list[object]:
    if len(text) > LONGEST_BODY:
        return []
    lines = re.findall(r"^data: ?(\{[^\n\r\u2028\u2029]*)$", text, re.MULTILINE)[:20]
    if found := [value for line in lines if (value := _parsed(line)) is not None]:
        return found
    start = re.search(f'\\{{{_S}*"', text)
    if start is None or start.start() == 0:
        return []
    inner = _parsed(text[start.start() : text.rfind("}") + 1])
    return [] if inner is None else [inner]


_QUOTED = r"""(?:"((?:[^"\\]|\\[^\n\r\u2028\u2029]){1,500})"|'((?:[^'\\]|\\[^\n\r\u2028\u2029]){1,500})')"""
_KEY_OF = f"[\"']?{_S}{{0,4}}[:=]{_S}{{0,4}}(?:Optional\\()?"
_LOOSE_TEXT = re.compile(f"(?<![A-Za-z])[\"']?(?:grpc_)?(?:message|msg|detail|error_msg){_KEY_OF}{_QUOTED}")
_LOOSE_CODE = re.compile(f"(?<![A-Za-z])[\"']?(?:code|type|status|reason){_KEY_OF}[\"']([A-Za-z0-9_.-]{{1,80}})[\"']")
_LOOSE = re.compile(f"[{{\\[(]{_S}*(?:[\"']|[A-Za-z_]{{1,40}}: ?[\"'])|[ ,][A-Za-z_]{{1,40}}:{_S}?[\"']")
"""Where data begins: in JSON, in Python, and as Rust, Go and Swift print it."""


def _unquoted(whole: str) -> tuple[list[str], list[str]]:
    text = _bounded(whole)
    if not _LOOSE.search(text) or _embedded(text):
        return [], []
    found = list(_LOOSE_TEXT.finditer(text))[:20]
    said = [item[1] if item[1] is not None else item[2] for item in found]
    return (
        _LOOSE_CODE.findall(text)[:20],
        [re.sub(r"\\([^\n\r\u2028\u2029])", r"\1", item.replace("\\n", " ")) for item in said],
    )


def _bounded(text: str) -> str:
    if len(text) <= LONGEST_TEXT:
        return text
    return f"{text[: LONGEST_TEXT - LONGEST_END]} … {text[-LONGEST_END:]}"


def _textual(headers: Mapping[str, Any]) -> dict[str, str]:
    found = list(headers.items())[:MOST_TEXTS]
    return {name.lower(): value[:1000] for name, value in found if isinstance(value, str)}


_BUN_HINT = re.compile(
    r"\.? For more information, pass `verbose: true` in the second argument to fetch\(\)",
)
_PAGE = re.compile("<(?:!doctype|!DOCTYPE|html|HTML)[ >]")
_LOOKS_LIKE_DATA = re.compile(f"{_S}*(?:[\\[{{]|<[!?a-z]|data:|event:)", re.IGNORECASE | re.ASCII)
_UNSEEN = re.compile(
    "[\0-\x1f\x7f-\x9f\xad\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]",
)


def sentence(seen: Seen) -> str | None:
    """The vendor's sentence that says what is wrong; None if there is none."""
    texts = (text for text in seen.texts if not re.match(r'"[A-Za-z0-9_]+":', text))
    found = [words for text in texts if (words := _without_data(text))]
    if not found and seen.page:
        return "A web page came instead of an answer"
    if not found:
        return next((code for code in seen.codes if not code.startswith("ai_")), None)
    first = found[0]
    return first if _is_sentence(first) else _next_sentence(found[1:], first)


def _next_sentence(more: Iterable[str], first: str) -> str:
    return next((text for text in more if _is_sentence(text)), first)


def _is_sentence(text: str) -> bool:
    inner = text.strip(SPACE)
    return any(char in SPACE or char > "\x7f" for char in inner)


def _without_data(text: str) -> str:
    if _LOOKS_LIKE_DATA.match(text) and not re.match(r"\[[0-9]+\]", text):
        return ""
    start = re.search(f"\\{{{_S}*(?:[\"']|[A-Za-z_]{{1,40}}: ?[\"'])|{_PAGE.pattern}", text)
    return _clean(text if start is None else re.sub(f"[{SPACE}:,;([-]+\\Z", "", text[: start.start()]))


def _clean(text: str) -> str:
    return _BUN_HINT.sub("", _UNSEEN.sub("", re.sub(f"{_S}+", " ", text)), count=1).strip(SPACE)
