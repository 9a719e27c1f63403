"""`python -m inventory.bench.children NAME WORDS`: run one of them."""

import sys
from importlib import import_module

import django

django.setup()
import_module(f"inventory.bench.children.{sys.argv[1]}").main(*sys.argv[2:])
