"""A cold start, in a fresh interpreter: import app.py, then build the entry. Prints its figures as JSON.

It is run by its path and without `site`, so nothing is importable but the layers on PYTHONPATH.
"""

import sys
import time
from importlib import import_module
from pathlib import Path

folder, entry, *given = sys.argv[1:]
sys.path.insert(0, folder)

started = time.perf_counter()
app = import_module("app")
imported = time.perf_counter()
getattr(app.entries, entry)(*map(Path, given))
built = time.perf_counter()

print(f'{{"import": {imported - started}, "build": {built - imported}, "modules": {len(sys.modules)}}}')
