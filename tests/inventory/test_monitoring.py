"""Alert rules and dashboard name only what the processes tell, so that neither can rot unseen."""

import importlib
import json
import pkgutil
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from prometheus_client import REGISTRY

import config
import events
import inventory
import seating

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
RULES = yaml.safe_load((DEPLOY / "prometheus" / "rules.yml").read_text())
SCRAPES = yaml.safe_load((DEPLOY / "prometheus" / "prometheus.yml").read_text())
DASHBOARD = json.loads((DEPLOY / "grafana" / "onsale.json").read_text())

ALL_RULES = [rule for group in RULES["groups"] for rule in group["rules"]]
ALERTS = [rule for rule in ALL_RULES if "alert" in rule]
RECORDED = {rule["record"] for rule in ALL_RULES if "record" in rule}
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
EXPRESSIONS = {rule.get("alert") or rule["record"]: rule["expr"] for rule in ALL_RULES} | {
    f"panel {panel['id']} {target['refId']}": target["expr"] for panel in PANELS for target in panel["targets"]
}
OF_THE_SCRAPE = {"job", "instance", "le"}

_NOT_IMPORTED = re.compile(r"\.(migrations|management|baselines|children|settings|gunicorn|workers|embedded|bench)\b")
_STRINGS = re.compile(r'"[^"]*"')
_USED = re.compile(r"\b(onsale[a-z_:0-9]*)(?:\{([^}]*)\})?")
_GROUPED = re.compile(r"\b(?:by|without) \(([^)]*)\)")


@pytest.fixture(scope="module")
def told():
    """Every name the processes may tell, with the labels it has."""
    for app in (config, seating, events, inventory):
        for module in pkgutil.walk_packages(app.__path__, f"{app.__name__}."):
            if not _NOT_IMPORTED.search(module.name):
                importlib.import_module(module.name)
    names = {}
    for collector in set(REGISTRY._collector_to_names):
        for metric in collector.describe() if hasattr(collector, "describe") else ():
            suffixes = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count")}.get(metric.type, ("",))
            names |= {metric.name + suffix: set(collector._labelnames) for suffix in suffixes}
    return names


@pytest.mark.parametrize("where", EXPRESSIONS)
def test_every_metric_and_label_in_use_exists(told, where):
    bare = _STRINGS.sub('""', EXPRESSIONS[where])
    used = _USED.findall(bare)

    assert used or where == "OnsaleProcessGone"  # That one asks Prometheus' own `up`.
    labels = set()
    for name, matchers in used:
        if ":" in name:
            assert name in RECORDED
            continue
        assert name in told
        labels |= told[name]
        asked = set(re.findall(r"(\w+)(?:=~|!=|!~|=)", matchers))
        assert asked <= told[name] | OF_THE_SCRAPE
    if labels:
        grouped = {label.strip() for group in _GROUPED.findall(bare) for label in group.split(",")}
        assert grouped <= labels | OF_THE_SCRAPE


def test_every_recorded_series_is_used():
    text = " ".join(rule["expr"] for rule in ALL_RULES)

    assert {name for name in RECORDED if name not in text} == set()


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert["alert"])
def test_alerts_say_how_bad_and_what_is_wrong(alert):
    assert alert["labels"]["severity"] in ("page", "ticket")
    assert alert["annotations"]["summary"]
    assert set(alert) <= {"alert", "expr", "for", "labels", "annotations"}


def test_alerts_have_names_of_their_own():
    assert len({alert["alert"] for alert in ALERTS}) == len(ALERTS)


def test_the_scrapes_name_the_jobs_that_the_rules_watch():
    jobs = {scrape["job_name"] for scrape in SCRAPES["scrape_configs"]}

    assert jobs == {"onsale-web", "onsale-live", "onsale-relay", "onsale-edge", "onsale-worker"}
    assert SCRAPES["rule_files"] == ["rules.yml"]


@pytest.mark.slow
def test_prometheus_itself_takes_rules_and_scrapes():
    promtool = shutil.which("promtool")
    if promtool is None:
        # It comes with Prometheus only; the tests above read the same files, and every name in them, without it.
        pytest.skip("there is no promtool here")

    command = [promtool, "check", "config", DEPLOY / "prometheus" / "prometheus.yml"]
    done = subprocess.run(command, check=False, capture_output=True, text=True)

    assert done.returncode == 0, done.stdout + done.stderr


def test_the_dashboard_asks_whatever_prometheus_is_chosen():
    chosen = {"type": "prometheus", "uid": "${datasource}"}

    assert [one["name"] for one in DASHBOARD["templating"]["list"]] == ["datasource", "job"]
    assert all(panel["datasource"] == chosen for panel in PANELS)
    assert all(target["datasource"] == chosen for panel in PANELS for target in panel["targets"])
    assert all("$__rate_interval" in expr for expr in EXPRESSIONS.values() if "rate(" in expr and "[5m]" not in expr)


def test_the_dashboard_is_laid_out_by_the_four_reads_and_the_write():
    rows = [panel["title"].partition(":")[0] for panel in DASHBOARD["panels"] if panel["type"] == "row"]

    assert rows == ["At a glance", "R1", "R2", "R3", "R4", "W", "What it stands on"]
    taken = set()
    for panel in DASHBOARD["panels"]:
        place = panel["gridPos"]
        cells = {(place["x"] + x, place["y"] + y) for x in range(place["w"]) for y in range(place["h"])}
        assert not cells & taken
        assert place["x"] + place["w"] <= 24
        taken |= cells
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(DASHBOARD["panels"])
    assert all(panel["description"] for panel in PANELS)
