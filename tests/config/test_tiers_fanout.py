"""One hot key as many: who reads which, and how many are written while the number changes."""

import os

from config.tiers import Fanout, own_copy
from tests.config.clocks import Clock


def test_own_copy_is_the_same_every_time_and_in_range():
    assert own_copy(10) == own_copy(10)
    assert 0 <= own_copy(10) < 10
    assert own_copy(1) == 0


def test_own_copy_spreads_processes_over_all_copies(monkeypatch):
    read = set()
    for process in range(1000, 1200):
        monkeypatch.setattr(os, "getpid", lambda process=process: process)
        read.add(own_copy(10))
    assert read == set(range(10))


def test_more_copies_are_written_at_once():
    fanout = Fanout(clock=Clock())
    assert fanout.width(10) == 10
    assert fanout.width(20) == 20


def test_fewer_copies_are_written_once_every_reader_has_heard():
    clock = Clock()
    fanout = Fanout(clock=clock)
    assert fanout.width(20) == 20
    assert fanout.width(3) == 20
    clock.now += 3.9
    assert fanout.width(3) == 20
    clock.now += 0.1
    assert fanout.width(3) == 3
