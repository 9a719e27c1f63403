"""`manage.py edge_hits`: count what the edge notes of its hits."""

import signal
import threading
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand

from config import edge_hits, health, pulse


class Command(BaseCommand):
    """Runs beside each nginx of the edge."""

    help = "Counts what nginx notes of its hits and misses (deploy/nginx), until SIGTERM."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the file, the sampling and the port for Prometheus."""
        parser.add_argument("file", type=Path, help="the file nginx notes them in: the value `hits`")
        parser.add_argument("--every", type=int, default=100, help="how many requests a note stands for (100)")
        parser.add_argument("--metrics-port", type=int, help="serve /metrics on this port of 127.0.0.1")

    def handle(self, *args: Any, file: Path, every: int, metrics_port: int | None, **options: Any) -> None:
        """Run until SIGTERM or SIGINT."""
        if metrics_port:
            health.serve(metrics_port)
        ended = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: ended.set())
        pulse.start("edge")
        try:
            edge_hits.follow(file, every=every, ended=ended)
        finally:
            pulse.stop()
