"""The layers and what Lambda brings along, laid out as Lambda sees them; nothing is downloaded."""

import compileall
import re
import shutil
from collections.abc import Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path
from py_compile import PycInvalidationMode

from benchmarks.children import ROOT

LOCKS = tuple(ROOT / "layers" / layer / "requirements.txt" for layer in ("dependencies", "console"))
FROM_LAMBDA = ("boto3", "botocore", "s3transfer", "jmespath", "python-dateutil", "six", "urllib3")
_PINNED = re.compile(r"^([\w.-]+)==", re.MULTILINE)


def lay_out(home: Path, *, precompiled: bool) -> list[Path]:
    """Put everything a function imports below a folder; what to search, in Lambda's order."""
    dependencies, hub, runtime = home / "dependencies", home / "hub", home / "runtime"
    for lock in LOCKS:
        _copy(_PINNED.findall(lock.read_text()), dependencies)
    shutil.copytree(
        ROOT / "layers/hub/python/gitlab_hub", hub / "gitlab_hub", ignore=shutil.ignore_patterns("__pycache__")
    )
    _copy(FROM_LAMBDA, runtime)
    # What Lambda brings is compiled in any case.
    for layer in (runtime, dependencies, hub) if precompiled else (runtime,):
        compileall.compile_dir(layer, quiet=2, invalidation_mode=PycInvalidationMode.UNCHECKED_HASH)
    return [dependencies, hub, runtime]


def _copy(names: list[str] | tuple[str, ...], to: Path) -> None:
    for found in _installed(names):
        for file in found.files or ():
            source = Path(str(found.locate_file(file)))
            # Commands lie outside of the packages' folder; caches are what is compared.
            if ".." in file.parts or "__pycache__" in file.parts or not source.is_file():
                continue
            target = to / file
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target)


def _installed(names: list[str] | tuple[str, ...]) -> Iterator[Distribution]:
    for name in names:
        try:
            yield distribution(name)
        except PackageNotFoundError:
            continue  # Locked for another platform or Python.
