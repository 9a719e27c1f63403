"""The bench itself: what it concludes from figures, that a missed target fails, and one real measure from nothing."""

import io
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from math import inf, nan
from pathlib import Path

import pytest

from config.embedded import Trouble
from config.embedded.processes import Stopped
from inventory.bench import cpu, delta, load, ratios, report
from inventory.bench.families import SUITES
from inventory.bench.findings import Finding, Target, at_least, at_most, percentile, spread
from inventory.bench.load import Sample
from inventory.bench.run import Progress, tell

ROOT = Path(__file__).resolve().parents[2]
RATIO = at_least("slot.warm", "slot / bare app", 0.9)
SIZE = at_most("size", "slot size", 500, "bytes")


def found(target: Target, figure: float, *notes: str) -> Finding:
    return Finding(target, figure, "server CPU", {"req/s": [9.0, 10.0, 12.0]}, notes)


def usage(machine: float, **parties: float) -> cpu.Usage:
    return cpu.Usage(parties, machine, wall=1.0)


def sample(*, rate: float, server_us: float, p99_ms: float = 5.0, server: float, client: float) -> Sample:
    used = usage(server + client, server=server, client=client)
    return Sample(int(rate), rate, 100.0, 1.0, p99_ms, server_us, 10.0, used)


def bench(*words: str, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, ROOT / "manage.py", "bench", *words],
        env=os.environ | more,
        capture_output=True,
        text=True,
        check=False,
    )


# --- verdicts and statistics ---


@pytest.mark.parametrize(
    ("target", "figure", "is_met"),
    [
        (RATIO, 0.9, True),
        (RATIO, 0.8999, False),
        (RATIO, nan, False),
        (SIZE, 500, True),
        (SIZE, 501, False),
        (SIZE, inf, False),
        (SIZE, nan, False),
    ],
)
def test_target_is_met_at_its_bound_and_never_without_a_figure(target: Target, figure: float, is_met: bool):
    assert found(target, figure).is_met is is_met


def test_spread_and_percentile_are_exact():
    assert spread([9.0, 10.0, 12.0]) == 0.3
    assert spread([0, 0, 0]) == 0.0
    hundred = [float(number) for number in range(1, 101)]
    assert [percentile(hundred, share) for share in (0.0, 0.5, 0.99, 1.0)] == [1.0, 50.0, 99.0, 100.0]
    assert percentile([7.0], 0.99) == 7.0
    assert percentile([float(number) for number in range(200)], 0.99) == 197.0


# --- what limited a measure ---


def test_limit_names_who_was_full_by_measured_shares():
    widths = {"server": 1, "client": 1}
    assert cpu.limit([usage(1.5, server=0.97, client=0.5)], widths).name == "server CPU"
    assert cpu.limit([usage(1.5, server=0.5, client=0.97)], widths).name == "client"
    assert cpu.limit([usage(0.7, server=0.4, client=0.3)], widths).name == "nothing was full"
    told = cpu.limit([usage(1.5, server=0.97, client=0.5, redis=0.0)], widths).told
    assert told == "cores used: server 0.97, client 0.50, others 0.03"


def test_limit_of_a_full_machine_is_who_used_most_of_it(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(cpu, "CORES", 2)
    wide = {"server": 2, "client": 1}
    assert cpu.limit([usage(2.0, server=1.3, client=0.7)], wide).name == "server CPU"
    assert cpu.limit([usage(2.0, server=0.5, client=0.5)], wide).name == "others"


def test_limit_takes_the_median_of_its_samples():
    widths = {"server": 1}
    usages = [usage(1.0, server=share) for share in (0.1, 0.9, 0.95)]
    assert cpu.limit(usages, widths).cores["server"] == 0.9


def test_metered_counts_children_that_have_ended():
    burn = "import time\nwhile time.process_time() < 0.3: pass"
    with cpu.metered({"us": os.getpid()}) as used:
        subprocess.run([sys.executable, "-c", burn], check=True)
    assert 0.25 <= used.parties["us"] <= 2.0
    assert used.machine >= used.parties["us"] - 0.1
    with cpu.metered({"us": os.getpid()}) as used:
        time.sleep(0.2)
    assert used.parties["us"] <= 0.1
    assert used.wall >= 0.2


# --- ratios ---


def test_throughput_compares_requests_a_second():
    ours = [sample(rate=rate, server_us=100, server=0.95, client=0.4) for rate in (7000, 9000, 8000)]
    bare = [sample(rate=10_000, server_us=90, server=0.95, client=0.4)] * 3
    finding = ratios.throughput(RATIO, ours, bare, widths=({"server": 1, "client": 1},) * 2)
    assert finding.figure == 0.8
    assert not finding.is_met
    assert finding.limited_by == "server CPU"
    assert finding.samples["ours req/s"] == [7000, 9000, 8000]
    assert finding.notes[2] == "req/s 0.800, server CPU per req 0.900 of the baseline's (more is better)"


def test_throughput_compares_prices_where_the_client_was_the_limit_of_either():
    ours = [sample(rate=10_000, server_us=50, server=0.5, client=0.4)]
    bare = [sample(rate=10_000, server_us=40, server=0.4, client=0.99)]
    finding = ratios.throughput(RATIO, ours, bare, widths=({"server": 1, "client": 1},) * 2)
    assert finding.figure == 0.8
    assert finding.limited_by == "client"
    assert finding.notes[2] == (
        "the client was the limit, so server CPU per req counts: "
        "req/s 1.000, server CPU per req 0.800 of the baseline's (more is better)"
    )


def test_latencies_count_a_socket_that_never_heard_as_never(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(delta, "SOCKETS", 3)
    frame = delta.plane.encode_delta(1, 2, {5: 1})
    monkeypatch.setattr(delta, "receipts", lambda _path: iter([(frame, [10.5, 10.75])]))
    assert delta.latencies(Path(), {5: 10.0, 6: 11.0}) == {5: [0.5, 0.75, inf], 6: [inf] * 3}


# --- the load client ---

_TOLD = (
    '{"requests": 10, "seconds": 1.0, "bytes": 100, "refused": %d, "failed": %d, "cpu": 0.1, "p50_ms": 1, "p99_ms": 2}'
)


def test_report_of_the_client_is_its_last_line():
    assert load.report(["Running", _TOLD % (0, 0)], "http://x")["requests"] == 10


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        ([_TOLD % (3, 0)], "http://x: 10 requests, 3 refused, 0 lost"),
        ([_TOLD % (0, 2)], "http://x: 10 requests, 0 refused, 2 lost"),
        (["unable to connect"], "wrk did not measure http://x: unable to connect"),
        ([], "wrk did not measure http://x: it said nothing"),
    ],
)
def test_report_of_failed_requests_is_no_sample(lines: list[str], why: str):
    with pytest.raises(Trouble, match=f"^{why}$"):
        load.report(lines, "http://x")


def test_missing_client_is_named_before_anything_starts():
    began = time.monotonic()
    ended = bench("read", "--only", "slot", PATH="/nonexistent")
    assert ended.returncode == 1
    assert ended.stderr == "The bench needs the load client wrk: apt-get install wrk\n"
    assert ended.stdout == ""
    assert time.monotonic() - began < 20


# --- what is shown ---


def test_row_says_figure_target_verdict_and_limit():
    rest = ">= 0.900         slot / bare app; limit: server CPU"
    assert report.row(found(RATIO, 0.8994)) == f"MISSED         0.899 {rest}"
    rest = "<= 500 bytes     slot size; limit: server CPU"
    assert report.row(found(SIZE, 71)) == f"met         71 bytes {rest}"
    assert report.row(found(SIZE, nan)) == f"MISSED             - {rest}"


def told(*findings: Finding, is_quick: bool = False, json: Path | None = None) -> tuple[int, list[str]]:
    out = io.StringIO()
    code = tell(iter(findings), Progress(io.StringIO()), suite="read", is_quick=is_quick, json=json, out=out)
    return code, out.getvalue().splitlines()


def test_all_met_ends_with_0():
    code, lines = told(found(RATIO, 0.95, "a note"), found(SIZE, 71))
    assert code == 0
    assert lines == [
        "[    0 s] met            0.950 >= 0.900         slot / bare app; limit: server CPU",
        "                  a note",
        "[    0 s] met         71 bytes <= 500 bytes     slot size; limit: server CPU",
        "targets: 2 met, 0 missed",
    ]


def test_missed_target_ends_with_1():
    code, lines = told(found(RATIO, 0.95), found(SIZE, 501))
    assert code == 1
    assert lines[1] == "[    0 s] MISSED     501 bytes <= 500 bytes     slot size; limit: server CPU"
    assert lines[-1] == "targets: 1 met, 1 missed"


def test_quick_run_counts_no_targets():
    code, lines = told(found(RATIO, 0.95), found(SIZE, 501), is_quick=True)
    assert code == 0
    assert lines[-1] == "targets: not counted, 2 figures from too few samples"


def test_interrupted_run_says_so_and_ends_with_130():
    def interrupted() -> Iterator[Finding]:
        yield found(SIZE, 71)
        raise Stopped

    out = io.StringIO()
    code = tell(interrupted(), Progress(io.StringIO()), suite="read", is_quick=False, json=None, out=out)
    assert code == 130
    assert out.getvalue().splitlines()[1:] == ["Ended before everything was measured.", "targets: 1 met, 0 missed"]


def test_json_holds_everything(tmp_path: Path):
    told(found(RATIO, 0.95, "a note"), found(SIZE, nan), json=tmp_path / "bench.json")
    written = json.loads((tmp_path / "bench.json").read_text())
    assert written["machine"]["cores"] == cpu.CORES
    assert written["versions"]["django"].startswith("5.2")
    assert [measure["verdict"] for measure in written["measures"]] == ["met", "MISSED"]
    assert written["measures"][0] == {
        "key": "slot.warm",
        "title": "slot / bare app",
        "figure": 0.95,
        "target": {"kind": "at least", "bound": 0.9, "unit": ""},
        "verdict": "met",
        "limited_by": "server CPU",
        "samples": {"req/s": {"median": 10.0, "spread": 0.3, "values": [9.0, 10.0, 12.0]}},
        "notes": ["a note"],
        "details": {},
    }
    assert written["measures"][1]["figure"] is None


def test_list_names_every_target_of_the_suite_and_starts_nothing():
    ended = bench("read", "--list")
    assert ended.returncode == 0
    targets = [target for family in SUITES["read"] for target in family.targets]
    assert len(ended.stdout.splitlines()) == len(targets)
    assert len({target.key for target in targets}) == len(targets)
    assert "slot       slot, warm, one live worker / bare ASGI app with the same bytes: at least 0.9\n" in ended.stdout


def test_unknown_measure_is_refused():
    ended = bench("read", "--only", "slot,nonsense")
    assert ended.returncode == 1
    assert "There is no measure nonsense; there are: edge, slot, " in ended.stderr


# --- for real ---

# The very measures of `--only size`, the second with a target that nothing can reach.
_STRICT = """
import os, sys
from dataclasses import replace
from pathlib import Path
from config.embedded import environment
with environment.for_command(["manage.py", "bench"]):
    from inventory.bench import size
    from inventory.bench.run import run
    hard = replace(size.HALF, bound=100)
    def measure(stage):
        for finding in size.measure(stage):
            yield replace(finding, target=hard) if finding.target is size.HALF else finding
    family = replace(size.FAMILY, targets=(size.OPENING, hard), measure=measure)
    sys.exit(run("read", [family], is_quick=False, json=Path(sys.argv[1]), out=sys.stdout, err=sys.stderr))
"""


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_bench_measures_from_nothing_and_leaves_nothing(tmp_path: Path):
    ended = bench("read", "--only", "size", "--json", str(tmp_path / "met.json"), TMPDIR=str(tmp_path))
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert ended.stdout.splitlines()[-1] == "targets: 2 met, 0 missed"
    opening, half = json.loads((tmp_path / "met.json").read_text())["measures"]
    assert opening["figure"] < 150
    # Half of 60,000 seats at random are 60,000 bits, which no compression makes smaller.
    assert 7_500 < half["figure"] < 12_000
    assert [path.name for path in tmp_path.iterdir()] == ["met.json"]


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_bench_that_misses_a_target_says_so_and_ends_with_1(tmp_path: Path):
    ended = subprocess.run(
        [sys.executable, "-c", _STRICT, tmp_path / "missed.json"],
        cwd=ROOT,
        env=os.environ | {"TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 1, ended.stdout + ended.stderr
    assert ended.stdout.splitlines()[-1] == "targets: 1 met, 1 missed"
    assert [path.name for path in tmp_path.iterdir()] == ["missed.json"]
    first, second = json.loads((tmp_path / "missed.json").read_text())["measures"]
    assert (first["verdict"], second["verdict"]) == ("met", "MISSED")
