"""Code and layers of functions are unpacked once, and every process gets links to them."""

import shutil
import tempfile
import zipfile
from pathlib import Path

import pytest

from local.unpacking import SharedArchive


@pytest.fixture(autouse=True)
def _scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


def archive(path: Path, **files: str) -> Path:
    with zipfile.ZipFile(path, "w") as made:
        for name, text in files.items():
            made.writestr(name.replace("__", "/"), text)
    return path


def unpacked(path: Path, to: Path) -> Path:
    to.mkdir()
    with SharedArchive(path) as opened:
        opened.extractall(to)
    return to


def test_a_second_process_links_to_the_files_of_the_first(tmp_path: Path) -> None:
    layer = archive(tmp_path / "layer.zip", python__hub__app="app", LICENSE="free")
    first, second = unpacked(layer, tmp_path / "first"), unpacked(layer, tmp_path / "second")
    for folder in (first, second):
        assert (folder / "python/hub/app").read_text() == "app"
        assert (folder / "LICENSE").read_text() == "free"
    assert (first / "python/hub/app").resolve() == (second / "python/hub/app").resolve()
    shutil.rmtree(first)
    assert (second / "python/hub/app").read_text() == "app"


def test_other_content_of_the_same_name_is_another_folder(tmp_path: Path) -> None:
    old = unpacked(archive(tmp_path / "old.zip", app="old"), tmp_path / "a")
    new = unpacked(archive(tmp_path / "new.zip", app="new"), tmp_path / "b")
    assert ((old / "app").read_text(), (new / "app").read_text()) == ("old", "new")


def test_nothing_is_unpacked_outside_of_the_folder(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "layer.zip", "w") as made:
        made.writestr("../outside/app", "app")
    folder = unpacked(tmp_path / "layer.zip", tmp_path / "in")
    assert (folder / "outside/app").read_text() == "app"
    assert not (tmp_path / "outside").exists()
    assert not (tmp_path.parent / "outside").exists()
