"""`sam build` for this machine, done again only when a source changed."""

import fcntl
import hashlib
import platform
import shutil
import sys
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from local.problems import Problem
from local.tools import environment, find, run

ROOT = Path(__file__).parents[1]
_SOURCES = ("template.yaml", "functions", "layers")
_RUNTIMES = ("python3.11", "python3.12", "python3.13", "python3.14")
_ARCHITECTURES = {"x86_64": "x86_64", "amd64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}


@dataclass(frozen=True, slots=True)
class Target:
    """What the functions run on: locally that is this very interpreter, because the emulator starts workers with it."""

    runtime: str
    architecture: str


@dataclass(frozen=True, slots=True)
class Build:
    """A finished build."""

    template: Path
    fingerprint: str
    archives: Path
    """The folder with one ZIP file of each function and layer."""


def this_machine() -> Target:
    """The target that fits the interpreter in use."""
    runtime = f"python{sys.version_info.major}.{sys.version_info.minor}"
    architecture = _ARCHITECTURES.get(platform.machine().lower())
    if runtime not in _RUNTIMES or architecture is None:
        raise Problem(f"{runtime} on {platform.machine()} is not supported: use Python 3.11 to 3.14 on x86_64 or arm64")
    return Target(runtime, architecture)


def build(target: Target, root: Path = ROOT) -> Build:
    """Build the bundle, or take the last build if nothing changed since."""
    place = root / ".aws-sam" / f"local-{target.runtime}-{target.architecture}"
    place.mkdir(parents=True, exist_ok=True)
    with _alone(place / "lock"):
        stamp = place / "fingerprint"
        wanted = fingerprint(root, target)
        template = place / "build" / "template.yaml"
        archives = place / "archives"
        if not (template.exists() and archives.exists() and stamp.exists() and stamp.read_text() == wanted):
            stamp.unlink(missing_ok=True)
            _sam_build(root, target, place)
            _archive(template.parent, archives)
            stamp.write_text(wanted)
    return Build(template, wanted, archives)


def fingerprint(root: Path, target: Target) -> str:
    """A digest of everything a build depends on."""
    digest = hashlib.sha256(f"{target.runtime} {target.architecture}".encode())
    for path in sorted(_source_files(root)):
        digest.update(f"\0{path.relative_to(root)}\0".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _source_files(root: Path) -> Iterator[Path]:
    for source in _SOURCES:
        top = root / source
        if top.is_file():
            yield top
        yield from (path for path in top.rglob("*") if path.is_file() and "__pycache__" not in path.parts)


def _sam_build(root: Path, target: Target, place: Path) -> None:
    overrides = [f"PythonRuntime={target.runtime}", f"Architecture={target.architecture}"]
    arguments = [find("sam"), "build", "--parallel", "--template-file", str(root / "template.yaml")]
    arguments += ["--build-dir", str(place / "build"), "--cache-dir", str(place / "cache")]
    # The emulator runs the functions right here, so they need this machine's packages and not Lambda's.
    env = environment(HUB_LAYER_PLATFORM="host")
    run([*arguments, "--parameter-overrides", *overrides], env=env, log=place / "build.log", cwd=root)


def _archive(built: Path, archives: Path) -> None:
    """Pack each folder of the build as it is: nothing is sent anywhere, so making it smaller would only take time."""
    shutil.rmtree(archives, ignore_errors=True)
    archives.mkdir()
    for folder in (path for path in built.iterdir() if path.is_dir()):
        with zipfile.ZipFile(
            archives / f"{folder.name}.zip", "w", zipfile.ZIP_STORED, strict_timestamps=False
        ) as archive:
            for path in sorted(path for path in folder.rglob("*") if path.is_file()):
                archive.write(path, path.relative_to(folder))


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Let one process at a time build."""
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
