"""The bench: every figure that Onsale states about itself, measured beside a baseline on the same machine.

`stage.py` starts servers, `findings.py` judges, `load.py` and `cpu.py` measure, `families.py` lists what is measured;
each family is one file. `manage.py bench` runs them.
"""
