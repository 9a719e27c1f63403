"""The box office as the map's JavaScript sees it: slots, socket and holds in memory, in the contract's shapes.

It is the peer of the browser tests only; the journey on the real stack is tests/journeys.
"""

import asyncio
import gzip
import json
import mimetypes
import struct
import threading
import time
import uuid
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import uvicorn

from .hall import FIRST_TIERS

FREE, HELD, SOLD, BLOCKED = 0, 1, 2, 3
ROOT = Path(__file__).resolve().parents[2]
STATIC = [ROOT / "seating" / "static", ROOT / "events" / "static"]
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; "
    "worker-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'"
)
PAGE = """<!doctype html>
<html lang="en"{theme}><head><meta charset="utf-8"><title>{name}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="stylesheet" href="/static/events/onsale.css">
<link rel="stylesheet" href="/static/seating/seatmap/seat-map.css">
<link rel="stylesheet" href="/page.css">
<script type="module" src="/static/seating/seatmap/seat-map.js"></script></head>
<body><main class="trial"><h1>{name}</h1>
<script type="application/json" id="event-data">{data}</script>
{element}</main></body></html>"""
PAGE_CSS = b".trial{max-width:84rem;margin:0 auto;padding:1rem}.trial h1{margin:0 0 1rem;font-size:1.9rem}"

Send = Callable[[dict[str, Any]], Awaitable[None]]
Receive = Callable[[], Awaitable[dict[str, Any]]]


class Refused(Exception):
    """A refusal with its problem's code, status and extra fields."""

    def __init__(self, status: int, code: str, **extra: Any) -> None:
        super().__init__(code)
        self.status, self.code, self.extra = status, code, extra


class World:
    """One event: its plan, its seats, its fans' holds, and knobs that make it misbehave.

    `sockets_refused`, `seats_failing`, `me_failing`: that slot answers 503. `refusals`: problems that the next
    POSTs answer, (status, code, extra). `dropped`: the next answers of POSTs are lost after the work was done.
    """

    def __init__(self, plan: dict[str, Any], *, name: str = "Trial") -> None:
        self.id = str(uuid.uuid4())
        self.name = name
        self.plan = plan
        self.body = json.dumps(plan, sort_keys=True, separators=(",", ":")).encode()
        self.count = max(section["first"] + section["count"] for section in plan["sections"])
        self.tier_of = self._tiers()
        self.states = bytearray(self.count)
        self.version = 1
        self.sale: dict[str, Any] = {"state": "open", "opens_at": None, "closes_at": None}
        self.holds: dict[str, dict[str, Any]] = {}
        self.limit = 8
        self.hold_ms = 600_000
        self.answers: dict[str, tuple[bytes, int, bytes]] = {}
        self.sockets: set[asyncio.Queue[bytes | str | None]] = set()
        self.loop: asyncio.AbstractEventLoop | None = None
        self.sockets_refused = self.seats_failing = self.me_failing = False
        self.refusals: list[tuple[int, str, dict[str, Any]]] = []
        self.dropped = self.rebuilt = 0
        self.farewell = ""
        self.delay = 0.0
        self.presale_code = "EARLY"
        self.alternatives: list[list[int]] = []
        self.posts: list[tuple[str, dict[str, Any], str]] = []
        self.seats_asked = self.seats_unchanged = 0

    def _tiers(self) -> bytes:
        tiers = bytearray(self.count)
        for section in self.plan["sections"]:
            tiers[section["first"] : section["first"] + section["count"]] = (
                bytes([section["category"]]) * section["count"]
            )
            for row in section["rows"]:
                runs = row["categories"] if isinstance(row["categories"], list) else [[row["categories"], row["count"]]]
                at = row["first"]
                for category, n in runs:
                    tiers[at : at + n] = bytes([category]) * n
                    at += n
        return bytes(tiers)

    # --- what tests do ----------------------------------------------------------------------------------------

    def change(self, changes: dict[int, int], *, silent: bool = False) -> None:
        """Give seats new plane codes, and tell the sockets by one delta frame (not if `silent`: a lost frame)."""
        before = self.version
        self.version += 1
        for index, state in changes.items():
            self.states[index] = state
        if not silent:
            frame = struct.pack("<QQ", before, self.version)
            self.tell(frame + b"".join(struct.pack("<IB", index, state) for index, state in changes.items()))

    def tell(self, message: bytes | str | None) -> None:
        """Send a frame or notice to every socket; None closes them with the reason `farewell`."""
        assert self.loop is not None
        for queue in list(self.sockets):
            self.loop.call_soon_threadsafe(queue.put_nowait, message)

    def notice(self, **notice: Any) -> None:
        self.tell(json.dumps(notice))

    def event_data(self, base: str) -> dict[str, Any]:
        sections = [sorted(set(self.tier_of[s["first"] : s["first"] + s["count"]])) for s in self.plan["sections"]]
        return {
            "id": self.id, "slug": "trial", "name": self.name, "currency": "EUR", "locale": "en-IE",
            "planUrl": f"{base}/plan", "seatsUrl": f"{base}/seats", "meUrl": f"{base}/me",
            "socketUrl": f"{base}/socket",
            "api": {"holds": f"{base}/api/v1/events/{self.id}/holds", "orders": "/api/v1/orders"},
            "checkoutUrl": "/checkout/trial/", "maxPerFan": self.limit, "seatCount": self.count, "tiers": FIRST_TIERS,
            "sectionTiers": sections, "categoryTier": [0, 1, 2, 3], "sale": self.sale, "timeZone": "Europe/Berlin",
        }  # fmt: skip

    # --- what the browser asks --------------------------------------------------------------------------------

    def snapshot(self) -> bytes:
        plane = bytearray((self.count + 3) // 4)
        for index, state in enumerate(self.states):
            plane[index >> 2] |= state << ((index & 3) * 2)
        return struct.pack(
            "<2sBBIQQ", b"OS", 1, min(1, self.rebuilt), self.count, self.version, int(time.time() * 1000)
        ) + bytes(plane)

    def me(self, fan: str) -> dict[str, Any]:
        hold = self.hold_of(fan)
        used = len(hold["seats"]) if hold else 0
        now = int(time.time() * 1000)
        limit = {"max": self.limit, "used": used}
        return {
            "event": self.id,
            "version": self.version,
            "now": now,
            "sale": self.sale,
            "hold": hold,
            "limit": limit,
            "csrf": f"csrf-{fan}",
        }

    def hold_of(self, fan: str) -> dict[str, Any] | None:
        hold = self.holds.get(fan)
        if hold and hold["expires_at"] <= time.time() * 1000:
            self.change({seat["index"]: FREE for seat in hold["seats"]})
            del self.holds[fan]
            return None
        return hold

    def seat(self, index: int) -> dict[str, Any]:
        tier = self.tier_of[index]
        for section in self.plan["sections"]:
            if section["first"] <= index < section["first"] + section["count"]:
                place = {
                    "index": index,
                    "section": section["name"],
                    "row": "",
                    "number": "",
                    "tier": tier,
                    "amount": FIRST_TIERS[tier]["amount"],
                }
                for row in section["rows"]:
                    if row["first"] <= index < row["first"] + row["count"]:
                        place |= {"row": row["label"], "number": str(index - row["first"] + 1)}
                return place
        raise Refused(422, "seat_out_of_range")

    def choose(self, fan: str, body: dict[str, Any]) -> dict[str, Any]:
        """Hold by seats, best or standing: all or none."""
        if self.sale["state"] == "presale" and body.get("presale_code") != self.presale_code:
            raise Refused(403, "presale_code_invalid", title="This presale code is not known.")
        if self.sale["state"] not in ("open", "presale"):
            raise Refused(409, "sale_closed", state=self.sale["state"])
        if "seats" in body:
            wanted = list(body["seats"])
            taken = [i for i in wanted if self.states[i] != FREE]
            if taken:
                raise Refused(409, "seats_taken", taken=taken, alternatives=self.alternatives)
        elif "best" in body:
            wanted = self._together(body["best"])
        else:
            section = self.plan["sections"][body["standing"]["section"]]
            span = range(section["first"], section["first"] + section["count"])
            wanted = [i for i in span if self.states[i] == FREE][: body["standing"]["quantity"]]
        hold = self.hold_of(fan) or {
            "id": str(uuid.uuid4()), "seats": [], "expires_at": int(time.time() * 1000) + self.hold_ms,
            "extendable": True, "total": 0, "currency": "EUR",
        }  # fmt: skip
        if len(hold["seats"]) + len(wanted) > self.limit:
            raise Refused(409, "limit_reached", limit=self.limit, used=len(hold["seats"]))
        hold["seats"] += [self.seat(i) for i in wanted]
        hold["total"] = sum(seat["amount"] for seat in hold["seats"])
        self.holds[fan] = hold
        self.change(dict.fromkeys(wanted, HELD))
        return hold | {"version": self.version}

    def _together(self, wish: dict[str, Any]) -> list[int]:
        n = wish["quantity"]
        for number, section in enumerate(self.plan["sections"]):
            if wish.get("section") not in (None, number):
                continue
            for row in section["rows"]:
                for first in range(row["first"], row["first"] + row["count"] - n + 1):
                    run = list(range(first, first + n))
                    amounts = [FIRST_TIERS[self.tier_of[i]]["amount"] for i in run]
                    cheap = wish.get("max_amount") is None or max(amounts) <= wish["max_amount"]
                    if cheap and all(self.states[i] == FREE for i in run):
                        return run
        raise Refused(409, "no_seats_together")

    def release(self, fan: str, body: dict[str, Any]) -> dict[str, Any]:
        hold = self.hold_of(fan)
        if hold is None:
            raise Refused(410, "hold_expired")
        gone = {seat["index"] for seat in hold["seats"]} if body["seats"] is None else set(body["seats"])
        hold["seats"] = [seat for seat in hold["seats"] if seat["index"] not in gone]
        hold["total"] = sum(seat["amount"] for seat in hold["seats"])
        self.change(dict.fromkeys(gone, FREE))
        if not hold["seats"]:
            del self.holds[fan]
            return {"hold": None}
        return {"hold": hold}

    def extend(self, fan: str) -> dict[str, Any]:
        hold = self.hold_of(fan)
        if hold is None:
            raise Refused(410, "hold_expired")
        hold["expires_at"] += 300_000
        hold["extendable"] = False
        return hold

    def act(self, fan: str, path: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """Do a POST; raises `Refused`."""
        if self.refusals:
            status, code, extra = self.refusals.pop(0)
            raise Refused(status, code, **extra)
        if path.endswith("/holds"):
            return 201, self.choose(fan, body)
        if path.endswith("/release"):
            return 200, self.release(fan, body)
        return 200, self.extend(fan)


class Peer:
    """An HTTP server on a free port of the loopback, in its own thread, with any number of worlds."""

    def __init__(self) -> None:
        self.worlds: dict[str, World] = {}
        config = uvicorn.Config(
            self.app, host="127.0.0.1", port=0, log_level="error", lifespan="off", interface="asgi3"
        )
        self.server = uvicorn.Server(config)
        self.loop: asyncio.AbstractEventLoop | None = None
        self.thread = threading.Thread(target=self._run, daemon=True)

    def _run(self) -> None:
        self.loop = asyncio.new_event_loop()
        try:
            self.loop.run_until_complete(self.server.serve())
        finally:
            self.loop.close()

    def start(self) -> str:
        """Serve, and return the address."""
        self.thread.start()
        deadline = time.monotonic() + 10
        while not self.server.started:
            if time.monotonic() > deadline:
                raise TimeoutError("The peer did not start.")
            time.sleep(0.01)
        port = self.server.servers[0].sockets[0].getsockname()[1]
        return f"http://127.0.0.1:{port}"

    def stop(self) -> None:
        for world in self.worlds.values():
            world.tell(None)
        self.server.should_exit = True
        self.thread.join(timeout=10)

    def add(self, key: str, world: World) -> World:
        world.loop = self.loop
        self.worlds[key] = world
        return world

    # --- ASGI -------------------------------------------------------------------------------------------------

    async def app(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        path = scope["path"]
        if path.startswith("/static/"):
            await self._static(path.removeprefix("/static/"), send)
        elif path == "/page.css":
            await answer(send, 200, PAGE_CSS, "text/css")
        elif path.startswith("/w/") and path.split("/")[2] in self.worlds:
            world = self.worlds[path.split("/")[2]]
            rest = "/" + path.split("/", 3)[3]
            if scope["type"] == "websocket":
                await self._socket(world, receive, send)
            else:
                await self._http(world, rest, scope, receive, send)
        elif scope["type"] == "http":
            await answer(send, 404, b"not here", "text/plain")

    async def _static(self, name: str, send: Send) -> None:
        for folder in STATIC:
            file = folder / name
            if file.is_file():
                kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
                await answer(send, 200, file.read_bytes(), kind, {"cache-control": "no-cache"})
                return
        await answer(send, 404, b"not here", "text/plain")

    async def _http(self, world: World, path: str, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        headers = {key.decode(): value.decode() for key, value in scope["headers"]}
        fan = next(
            (part.split("=", 1)[1] for part in headers.get("cookie", "").split("; ") if part.startswith("fan=")), ""
        )
        base = "/w/" + scope["path"].split("/")[2]
        if path == "/":
            await self._page(world, base, scope, send)
        elif path == "/plan":
            await answer(send, 200, gzip.compress(world.body, 5), "application/json", {"content-encoding": "gzip"})
        elif path == "/seats":
            await self._seats(world, headers, send)
        elif path == "/me":
            if world.me_failing:
                await answer(send, 503, b"{}", "application/json")
                return
            fan = fan or uuid.uuid4().hex
            cookie = {"set-cookie": f"fan={fan}; Path=/; HttpOnly; SameSite=Lax", "cache-control": "private, no-store"}
            await answer(send, 200, json.dumps(world.me(fan)).encode(), "application/json", cookie)
        elif scope["method"] == "POST":
            await self._post(world, fan, path, headers, receive, send)
        else:
            await answer(send, 404, b"not here", "text/plain")

    async def _page(self, world: World, base: str, scope: dict[str, Any], send: Send) -> None:
        query = {key: values[0] for key, values in parse_qs(scope["query_string"].decode()).items()}
        mode = query.get("mode", "")
        element = '<seat-map data-event="event-data"><a href="/choose/">Choose from a list</a></seat-map>'
        if mode == "block":
            element = '<seat-map mode="block" data-event="event-data"></seat-map>'
        if mode == "plan":
            element = f'<seat-map mode="plan" data-plan-url="{base}/plan"></seat-map>'
        theme = f' data-theme="{query["theme"]}"' if "theme" in query else ""
        data = json.dumps(world.event_data(base)).replace("<", "\\u003c")
        page = PAGE.format(name=world.name, data=data, element=element, theme=theme)
        await answer(send, 200, page.encode(), "text/html; charset=utf-8", {"content-security-policy": POLICY})

    async def _seats(self, world: World, headers: dict[str, str], send: Send) -> None:
        world.seats_asked += 1
        tag = f'"{world.version}-{world.rebuilt}"'
        if world.seats_failing:
            await answer(send, 503, b"", "text/plain")
        elif headers.get("if-none-match") == tag:
            world.seats_unchanged += 1
            await answer(send, 304, b"", "application/octet-stream", {"etag": tag})
        else:
            caching = {"etag": tag, "cache-control": "public, max-age=1, stale-while-revalidate=2"}
            await answer(send, 200, world.snapshot(), "application/octet-stream", caching)

    async def _post(  # noqa: PLR0917  One call, private.
        self, world: World, fan: str, path: str, headers: dict[str, str], receive: Receive, send: Send
    ) -> None:
        raw = b""
        more = True
        while more:
            message = await receive()
            raw += message.get("body", b"")
            more = message.get("more_body", False)
        if world.delay:
            await asyncio.sleep(world.delay)
        key = headers.get("idempotency-key", "")
        body = json.loads(raw)
        world.posts.append((path, body, key))
        try:
            if headers.get("x-csrf-token") != f"csrf-{fan}":
                raise Refused(403, "csrf_failed")
            if not key:
                raise Refused(400, "idempotency_key_missing")
            if key in world.answers:
                _, status, stored = world.answers[key]
                await answer(send, status, stored, "application/json", {"idempotency-replayed": "true"})
                return
            status, result = world.act(fan, path, body)
            kind = "application/json"
        except Refused as refused:
            status, kind = refused.status, "application/problem+json"
            result = {
                "type": "about:blank",
                "title": refused.code,
                "status": status,
                "code": refused.code,
                **refused.extra,
            }
        stored = json.dumps(result).encode()
        if status < 500 and status != 403:
            world.answers[key] = (raw, status, stored)
        if world.dropped:
            world.dropped -= 1
            # The work is done, but its answer never arrives: announce more than is sent, then hang up.
            await send({"type": "http.response.start", "status": status, "headers": [(b"content-length", b"9999")]})
            await send({"type": "http.response.body", "body": b"{", "more_body": False})
            return
        await answer(send, status, stored, kind)

    async def _socket(self, world: World, receive: Receive, send: Send) -> None:
        await receive()
        if world.sockets_refused:
            await send({"type": "websocket.close", "code": 1013})
            return
        await send({"type": "websocket.accept"})
        queue: asyncio.Queue[bytes | str | None] = asyncio.Queue()
        world.sockets.add(queue)
        gone = asyncio.ensure_future(receive())
        try:
            while True:
                item = asyncio.ensure_future(queue.get())
                await asyncio.wait({item, gone}, return_when=asyncio.FIRST_COMPLETED)
                if gone.done():
                    item.cancel()
                    return
                message = item.result()
                if message is None:
                    await send({"type": "websocket.close", "code": 1012, "reason": world.farewell})
                    return
                await send({"type": "websocket.send", ("text" if isinstance(message, str) else "bytes"): message})
        finally:
            world.sockets.discard(queue)
            gone.cancel()


async def answer(send: Send, status: int, body: bytes, kind: str, headers: dict[str, str] | None = None) -> None:
    """Send a whole response."""
    lines = {"content-type": kind, "content-length": str(len(body)), **(headers or {})}
    await send(
        {
            "type": "http.response.start",
            "status": status,
            "headers": [(k.encode(), v.encode()) for k, v in lines.items()],
        }
    )
    await send({"type": "http.response.body", "body": body})
