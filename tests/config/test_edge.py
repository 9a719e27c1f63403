"""The edge: the real nginx, with the very configuration of `deploy/nginx`, asked what a CDN would be asked."""

import subprocess
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest
from django.contrib.auth import get_user_model
from django.core.wsgi import get_wsgi_application
from django.test import Client
from websockets.sync.client import connect
from websockets.sync.server import serve

from config import edge_hits
from config.embedded import nginx, paths
from events.front import front
from tests.edges import BROWSER, Edge, Origin, edge, free_port, serving
from tests.factories import make_event
from tests.inventory.live_servers import until


@pytest.fixture
def origin() -> Origin:
    return Origin()


@pytest.fixture
def ours(origin: Origin, tmp_path: Path) -> Iterator[Edge]:
    with serving(origin) as port, edge(tmp_path, web=port, live=port) as running:
        yield running


# --- one copy for everybody ---


@pytest.mark.parametrize("path", ["/e/aurora/", "/e/aurora/calendar.ics", "/o/nordwind/", "/v/hall/", "/sitemap.xml"])
def test_nothing_of_a_reader_reaches_the_origin_of_a_shared_page(ours: Edge, origin: Origin, path: str) -> None:
    own = {
        "Cookie": "sessionid=ada",
        "Authorization": "Basic eA==",
        "Accept_Language": "de",
        "X_Forwarded_For": "6.6.6.6",
    }
    assert ours.get(f"{path}?utm_source=mail&q=1", **own).kept == "MISS"
    assert {"HTTP_COOKIE", "HTTP_AUTHORIZATION", "HTTP_ACCEPT_LANGUAGE", "HTTP_X_FORWARDED_FOR"} & set(
        origin.last
    ) == set()
    assert (origin.last["PATH_INFO"], origin.last["QUERY_STRING"]) == (path, "")
    assert ours.get(path).kept == "HIT"
    assert ours.get(f"{path}?x={time.time()}", Cookie="sessionid=bob").kept == "HIT"
    assert len(origin.asked) == 1


def test_the_listing_is_told_the_parameters_it_knows_in_one_order(ours: Edge, origin: Origin) -> None:
    assert ours.get("/?page=2&utm_source=mail&q=ham%20let&city=").kept == "MISS"
    assert origin.last["QUERY_STRING"] == "q=ham%20let&page=2&"
    assert ours.get("/?q=ham%20let&fbclid=1&page=2").kept == "HIT"
    assert ours.get("/?q=other").kept == "MISS"


@pytest.mark.parametrize(
    ("accepted", "asked"),
    [
        ("gzip, deflate, br, zstd", "br"),
        ("gzip, deflate, br", "br"),
        ("br;q=0.9", "br"),
        ("BR", "br"),
        ("gzip;q=1.0, br;q=0", "gzip"),
        ("br;q=0.0, gzip", "gzip"),
        ("deflate", None),
        ("gzip;q=0", None),
        ("identity", None),
    ],
)
def test_the_origin_is_asked_for_one_of_three_encodings(
    ours: Edge, origin: Origin, accepted: str, asked: str | None
) -> None:
    ours.get("/e/aurora/", Accept_Encoding=accepted)
    assert origin.last.get("HTTP_ACCEPT_ENCODING") == asked


def test_each_encoding_host_and_scheme_is_kept_by_itself(ours: Edge, origin: Origin) -> None:
    asked = [{}, {"Accept_Encoding": "gzip"}, {"Accept_Encoding": BROWSER}, {"Host": "other.example"}]
    assert [ours.get("/e/aurora/", **headers).kept for headers in asked] == ["MISS"] * 4
    assert [ours.get("/e/aurora/", **headers).kept for headers in asked] == ["HIT"] * 4
    assert {each["HTTP_X_FORWARDED_PROTO"] for each in origin.asked} == {"http"}


def test_what_is_one_visitors_own_passes_whole_and_is_never_kept(ours: Edge, origin: Origin) -> None:
    for path in ("/e/aurora/choose/", "/accounts/login/", "/admin/", "/my/", "/api/v1/orders"):
        for number in ("1", "2"):
            answer = ours.get(f"{path}?n={number}", Cookie="fan=a", X_Forwarded_For="6.6.6.6")
            assert answer.kept is None
            assert (origin.last["HTTP_COOKIE"], origin.last["QUERY_STRING"]) == ("fan=a", f"n={number}")
            assert origin.last["HTTP_X_FORWARDED_FOR"] == "127.0.0.1"
    assert len(origin.asked) == 10
    assert ours.get("/metrics").status == 404
    assert len(origin.asked) == 10


@pytest.mark.django_db(transaction=True)
def test_a_shell_is_the_same_bytes_for_two_fans_and_nobody(tmp_path: Path) -> None:
    path = make_event().get_absolute_url()
    member = Client()
    member.force_login(get_user_model().objects.create_user("ada", password="a good password"))
    session = f"sessionid={member.cookies['sessionid'].value}"
    with serving(front(get_wsgi_application(), version_seconds=0)) as port, edge(tmp_path, web=port) as ours:
        for encoding in ("", "gzip", BROWSER):
            asked = [{}, {"Cookie": "fan=abcdefghijklmnopqrstuvwxyz.sig"}, {"Cookie": session, "Accept_Language": "de"}]
            answers = [ours.get(path, Accept_Encoding=encoding, **headers) for headers in asked]
            assert [answer.kept for answer in answers] == ["MISS", "HIT", "HIT"]
            assert len({answer.body for answer in answers}) == 1
            assert {answer.headers["Set-Cookie"] for answer in answers} == {None}
            first = answers[0]
            assert ours.get(path, Accept_Encoding=encoding, If_None_Match=first.headers["ETag"]).status == 304
            ours.purge()
            until(lambda path=path, encoding=encoding: ours.get(path, Accept_Encoding=encoding).kept == "MISS")
            assert ours.get(path, Accept_Encoding=encoding).body == first.body


# --- many at once, late, and in trouble ---


def crowd(ours: Edge, path: str, size: int) -> list[tuple[int, bytes]]:
    with ThreadPoolExecutor(size) as readers:
        answers = list(readers.map(lambda _: ours.get(path), range(size)))
    return [(answer.status, answer.body) for answer in answers]


def test_a_crowd_that_misses_is_one_request(ours: Edge, origin: Origin) -> None:
    origin.seconds = 0.3
    assert crowd(ours, "/e/aurora/", 40) == [(200, b"a page")] * 40
    assert len(origin.asked) == 1


def test_an_expired_page_is_served_while_one_request_fetches_the_next(ours: Edge, origin: Origin) -> None:
    origin.headers["Cache-Control"] = "public, s-maxage=1, stale-while-revalidate=30"
    ours.get("/e/aurora/")
    time.sleep(2.1)
    origin.body, origin.seconds = b"the next", 0.3
    began = time.monotonic()
    assert crowd(ours, "/e/aurora/", 20) == [(200, b"a page")] * 20
    assert time.monotonic() - began < 0.3 + 0.7
    until(lambda: ours.get("/e/aurora/").body == b"the next", seconds=3)
    assert len(origin.asked) == 2


def test_a_page_past_its_grace_is_fetched_before_it_is_served(ours: Edge, origin: Origin) -> None:
    origin.headers["Cache-Control"] = "public, s-maxage=1"
    ours.get("/e/aurora/")
    time.sleep(2.1)
    origin.body = b"the next"
    assert ours.get("/e/aurora/").body == b"the next"


@pytest.mark.parametrize("status", ["500 Internal Server Error", "503 Service Unavailable"])
def test_a_page_outlives_an_ill_origin(ours: Edge, origin: Origin, status: str) -> None:
    origin.headers["Cache-Control"] = "public, s-maxage=1, stale-if-error=600"
    ours.get("/e/aurora/")
    time.sleep(2.1)
    origin.status = status
    answer = ours.get("/e/aurora/")
    assert (answer.status, answer.body, answer.kept) == (200, b"a page", "STALE")


def test_a_page_outlives_an_origin_that_is_gone(origin: Origin, tmp_path: Path) -> None:
    origin.headers["Cache-Control"] = "public, s-maxage=1, stale-if-error=600"
    with ExitStack() as until_gone:
        port = until_gone.enter_context(serving(origin))
        with edge(tmp_path, web=port) as ours:
            ours.get("/e/aurora/")
            until_gone.close()
            time.sleep(2.1)
            assert (ours.get("/e/aurora/").kept, ours.get("/e/other/").status) == ("STALE", 503)
            assert ours.get("/e/other/").headers["Retry-After"] == "2"


def test_a_page_taken_down_is_gone_at_its_end(ours: Edge, origin: Origin) -> None:
    origin.headers["Cache-Control"] = "public, s-maxage=1, stale-if-error=600"
    ours.get("/e/aurora/")
    time.sleep(2.1)
    origin.status, origin.headers["Cache-Control"] = "404 Not Found", "public, s-maxage=5"
    assert ours.get("/e/aurora/").status == 404


def test_a_purged_page_is_fetched_again_within_two_seconds(ours: Edge, origin: Origin) -> None:
    ours.get("/e/aurora/")
    origin.body = b"the next"
    assert ours.get("/e/aurora/").body == b"a page"
    ours.purge()
    until(lambda: ours.get("/e/aurora/").body == b"the next", seconds=3)
    assert len(origin.asked) == 2


def test_guessed_addresses_are_one_request_each(ours: Edge, origin: Origin) -> None:
    origin.status, origin.headers["Cache-Control"] = "404 Not Found", "public, s-maxage=5"
    assert crowd(ours, "/e/nothing/", 20) == [(404, b"a page")] * 20
    assert len(origin.asked) == 1


# --- files ---


def test_a_file_is_served_from_disk_as_it_was_compressed_beforehand(ours: Edge, origin: Origin) -> None:
    folder = ours.data / "static" / "events"
    folder.mkdir(parents=True)
    for name, content in (
        ("a.0123456789ab.js", b"js"),
        ("a.0123456789ab.js.br", b"br"),
        ("b.css", b"css"),
        ("b.css.gz", b"gz"),
    ):
        (folder / name).write_bytes(content)
    newest = ours.get("/static/events/a.0123456789ab.js?v=1", Accept_Encoding=BROWSER)
    del newest.headers["Date"], newest.headers["Server"], newest.headers["Connection"]
    assert newest.body == b"br"
    assert dict(newest.headers) == {
        "Content-Type": "text/javascript",
        "Content-Length": "2",
        "Content-Encoding": "br",
        "Cache-Control": "public, max-age=31536000, immutable",
        "Vary": "Accept-Encoding",
        "X-Content-Type-Options": "nosniff",
    }
    # Not made smaller by gzip, so not there; and another that is.
    plain = ours.get("/static/events/a.0123456789ab.js", Accept_Encoding="gzip")
    assert (plain.body, plain.headers["Content-Encoding"]) == (b"js", None)
    style = ours.get("/static/events/b.css", Accept_Encoding="gzip")
    assert (style.body, style.headers["Content-Type"], style.headers["Cache-Control"]) == (
        b"gz",
        "text/css",
        "public, max-age=60",
    )
    assert origin.asked == []


def test_a_file_not_collected_here_is_asked_for_once(ours: Edge, origin: Origin) -> None:
    assert ours.get("/static/admin/x.js", Cookie="fan=a").body == b"a page"
    assert ours.get("/static/admin/x.js?1").body == b"a page"
    assert [(each["PATH_INFO"], each.get("HTTP_COOKIE")) for each in origin.asked] == [("/static/admin/x.js", None)]


def test_plans_travel_without_what_only_pages_need(ours: Edge, origin: Origin) -> None:
    origin.headers |= {
        "Content-Security-Policy": "x",
        "X-Frame-Options": "DENY",
        "ETag": '"a"',
        "Vary": "Accept-Encoding",
    }
    for _ in range(2):
        answer = ours.get(f"/plans/{'0' * 64}", Accept_Encoding=BROWSER)
        assert {"Content-Security-Policy", "X-Frame-Options", "ETag", "X-Cache"} & set(answer.headers) == set()
    assert len(origin.asked) == 1


def test_an_uploaded_picture_is_never_a_page(ours: Edge, origin: Origin) -> None:
    (ours.data / "media" / "a.svg").write_text("<svg onload='alert(1)'/>")
    answer = ours.get("/media/a.svg")
    assert answer.headers["Content-Type"] == "image/svg+xml"
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    assert origin.asked == []


# --- the live pool ---


def test_a_socket_passes_through(tmp_path: Path) -> None:
    with serve(lambda socket: socket.send(f"{socket.request.path} {socket.recv()}"), "127.0.0.1", 0) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        port = server.socket.getsockname()[1]
        with edge(tmp_path, web=1, live=port) as ours, connect(f"ws://127.0.0.1:{ours.port}/live/x/socket") as socket:
            socket.send("hello")
            assert socket.recv(5) == "/live/x/socket hello"
        server.shutdown()
        thread.join()


def test_slots_are_not_kept_and_the_queue_is_as_long_as_it_may(ours: Edge, origin: Origin) -> None:
    origin.headers["Cache-Control"] = "public, max-age=1, stale-while-revalidate=2"
    for path, asked in (("/live/events/1/seats", 3), ("/live/events/1/queue?me=7", 1)):
        origin.asked.clear()
        for _ in range(3):
            ours.get(path, Cookie="fan=a")
        assert len(origin.asked) == asked
    assert "HTTP_COOKIE" not in origin.last
    assert origin.last["QUERY_STRING"] == ""


def test_a_dead_process_of_the_pool_is_passed_over(origin: Origin, tmp_path: Path) -> None:
    with serving(origin) as port:
        both = nginx.pool(f"127.0.0.1:{free_port()}", f"127.0.0.1:{port}")
        with edge(tmp_path, web=port, others={"live": both}) as ours:
            assert {ours.get("/live/events/1/seats").status for _ in range(12)} == {200}


def test_one_address_cannot_ask_without_end(origin: Origin, tmp_path: Path) -> None:
    with serving(origin) as port, edge(tmp_path, web=port, live=port, others={"unlimited": ""}) as ours:
        for path, burst in (("/api/v1/orders", 200), ("/live/events/1/seats", 500)):
            answers = [ours.get(path) for _ in range(burst * 2)]
            refused = [answer for answer in answers if answer.status == 429]
            assert {answer.status for answer in answers[:burst]} == {200}
            assert refused
            assert refused[0].headers["Retry-After"] == "2"
            assert refused[0].headers["Content-Type"] == "application/problem+json"
            assert b'"code":"too_many_requests"' in refused[0].body
        assert ours.get("/e/aurora/").status == 200


def test_what_is_too_large_is_refused_in_the_form_of_the_house(ours: Edge, origin: Origin) -> None:
    api = ours.get("/api/v1/orders", method="POST", body=b"x" * 70_000)
    assert (api.status, api.headers["Content-Type"]) == (413, "application/problem+json")
    slot = ours.get("/live/events/1/me", method="POST", body=b"x" * 2_000)
    assert (slot.status, slot.headers["Content-Type"]) == (413, "application/problem+json")
    assert ours.get("/e/aurora/", Cookie="a" * 40_000).status == 400
    assert origin.asked == []


# --- counted ---


def test_hits_are_noted_and_counted_for_as_many_as_they_stand_for(origin: Origin, tmp_path: Path) -> None:
    def counted(family: str, status: str) -> float:
        return edge_hits.REQUESTS.labels(family, status)._value.get()

    before = counted("shell", "hit"), counted("shell", "miss"), counted("live", "none")
    with serving(origin) as port, edge(tmp_path, web=port, live=port, others={"sampled": "100%"}) as ours:
        for _ in range(5):
            ours.get("/e/aurora/")
        ours.get("/live/events/1/seats")
        file = nginx.hits_file(tmp_path / "run")
        notes = edge_hits.Notes(file, every=10)
        until(lambda: file.stat().st_size == len("shell MISS\n") + 4 * len("shell HIT\n") + len("live -\n"), seconds=5)
        notes.count()
        notes.count()
    assert counted("shell", "hit") - before[0] == 40
    assert counted("shell", "miss") - before[1] == 10
    assert counted("live", "none") - before[2] == 10


def test_notes_that_grew_long_are_emptied_and_half_a_line_waits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(edge_hits, "LONGEST", 20)
    child = edge_hits.REQUESTS.labels("plan", "stale")
    before = child._value.get()
    file = tmp_path / "hits.log"
    notes = edge_hits.Notes(file, every=1)
    notes.count()
    file.write_text("plan STALE\nplan ST")
    notes.count()
    assert child._value.get() - before == 1
    with file.open("a") as more:
        more.write("ALE\nnonsense\n")
    notes.count()
    assert (child._value.get() - before, file.stat().st_size) == (2, 0)
    file.write_text("plan STALE\n")
    notes.count()
    assert child._value.get() - before == 3


# --- the file itself ---


@pytest.mark.parametrize("variant", ["demo", "production"])
def test_nginx_takes_the_configuration(tmp_path: Path, variant: str) -> None:
    binary = nginx.binary()
    assert binary is not None
    others: dict[str, str] = {}
    if variant == "production":
        key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj",
             "/CN=tickets.example.org", "-keyout", key, "-out", certificate], check=True, capture_output=True,
        )  # fmt: skip
        others = {
            "workers": "auto",
            "sampled": "1%",
            "every": "100",
            "unlimited": "10.0.0.0/8 0;",
            "live": nginx.pool("10.0.0.4:8001", "10.0.0.5:8001"),
            "listen": "18198 ssl backlog=4096",
            "tls": f"http2 on; ssl_certificate {certificate}; ssl_certificate_key {key};",
        }
    run = paths.make_folder(tmp_path / "run")
    program = nginx.program(
        binary, data=tmp_path, run=run, web=run / "web.sock", live=run / "live.sock", host="127.0.0.1", port=18199,
        others=others,
    )  # fmt: skip
    tested = subprocess.run([*program.argv, "-t"], capture_output=True, text=True, check=False)
    assert tested.returncode == 0, tested.stderr
    assert "warn" not in tested.stderr
    assert "{{" not in (run / "nginx.conf").read_text()


def test_a_value_that_is_missing_is_named() -> None:
    with pytest.raises(KeyError, match="user"):
        nginx.render({})
