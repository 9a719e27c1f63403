"""A WSGI application for gunicorn's tests: every worker shows a gauge of its own, and its number."""

import os

from prometheus_client import CollectorRegistry, Gauge, generate_latest, multiprocess

OPEN = Gauge("onsale_probe_open", "One in every worker.", multiprocess_mode="livesum")


def application(environ, start_response):
    OPEN.set(1)
    if environ["PATH_INFO"] == "/pid":
        body = str(os.getpid()).encode()
    else:
        registry = CollectorRegistry()
        multiprocess.MultiProcessCollector(registry)
        body = generate_latest(registry)
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
    return [body]
