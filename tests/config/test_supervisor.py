"""The supervisor: what it starts runs, what crashes comes back, and nothing is left behind."""

import signal
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

from config.embedded.processes import SERVERS, Program, Supervisor
from tests.config.machine import ROOT, mine, wait_for


def sleeper(name: str, *, script: str = "import time; time.sleep(60)", stage: int = SERVERS) -> Program:
    return Program(name=name, argv=[sys.executable, "-I", "-S", "-c", script], stage=stage)


def test_a_crashed_program_is_started_again_and_later_each_time() -> None:
    said: list[tuple[str, str]] = []
    with Supervisor(lambda name, text: said.append((name, text))) as supervisor:
        supervisor.start(sleeper("crasher", script="print('hello', flush=True); raise SystemExit(3)"))

        def restarted_twice() -> bool:
            supervisor.watch_once()
            return sum(text == "hello" for _, text in said) == 3

        assert wait_for(restarted_twice, 10)
    told = [text for _, text in said if text.startswith("ended")]
    assert told[:2] == [
        "ended with code 3; starting it again in 0.5 s",
        "ended with code 3; starting it again in 1 s",
    ]


def test_stages_stop_in_order_and_a_deaf_program_is_killed() -> None:
    log: list[tuple[str, str]] = []
    polite = "import signal,sys,time\nsignal.signal(15, lambda *_: sys.exit(print('bye', flush=True)))\ntime.sleep(60)"
    deaf = "import signal,time\nsignal.signal(15, signal.SIG_IGN)\nprint('deaf', flush=True)\ntime.sleep(60)"
    supervisor = Supervisor(lambda name, text: log.append((name, text)))
    processes = [supervisor.start(sleeper("base", script=polite, stage=SERVERS))]
    processes.append(supervisor.start(sleeper("front", script=deaf, stage=0)))
    assert wait_for(lambda: ("front", "deaf") in log, 5)
    began = time.monotonic()
    supervisor.stop()
    assert time.monotonic() - began < 6
    assert [process.popen.returncode for process in processes] == [0, -signal.SIGKILL]
    assert log[-1] == ("base", "bye")


def test_a_killed_keeper_is_replaced_and_still_stops_everything() -> None:
    supervisor = Supervisor()
    process = supervisor.start(sleeper("kept"))
    supervisor._keeper.kill()
    supervisor._keeper.wait()
    supervisor.watch_once()
    supervisor.stop()
    assert process.popen.returncode == -signal.SIGTERM


def test_nothing_outlives_a_supervisor_that_is_killed(data: Path) -> None:
    script = """
import sys
root, data = sys.argv[1:]
sys.path.insert(0, root)
from config.embedded.processes import *
supervisor = Supervisor()
supervisor.remove_at_end(Path(data, "left.sock"))
sleep = "import time; time.sleep(60)"
parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {sleep!r}, {data!r}])"
supervisor.start(Program(name="parent", argv=[sys.executable, "-c", parent, data]))
print("started", flush=True)
supervisor.watch()
"""
    (data / "left.sock").touch()
    process = subprocess.Popen([sys.executable, "-c", script, ROOT, data], stdout=subprocess.PIPE, text=True)
    with process, closing(process.stdout) as said:  # type: ignore[type-var]
        try:
            assert said.readline() == "started\n"
            assert wait_for(lambda: len(mine(data)) == 3, 5)  # The supervisor, its child and that one's child.
        finally:
            process.kill()
    assert wait_for(lambda: not mine(data), 8)
    assert wait_for(lambda: not (data / "left.sock").exists(), 2)
