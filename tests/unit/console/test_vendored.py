"""Files of others that lie beside the console and its tests: as they were published, each with its licence."""

import hashlib
import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
FOLDERS = ("functions/console", "tests/browser")
VENDORED = {
    f"{folder}/{name}": about
    for folder in FOLDERS
    for name, about in json.loads((ROOT / folder / "vendored.json").read_text()).items()
}


@pytest.mark.parametrize("path", VENDORED)
def test_a_file_of_others_is_as_it_was_published_and_has_its_licence(path: str) -> None:
    about = VENDORED[path]
    assert hashlib.sha256((ROOT / path).read_bytes()).hexdigest() == about["sha256"]
    named = re.fullmatch(r"[\w.-]+ \((.+)\)", about["licence"])
    folder = next(one for one in FOLDERS if path.startswith(one))
    assert named is not None
    assert (ROOT / folder / named[1]).read_text().strip()


def test_no_other_script_is_minified() -> None:
    found = {str(path.relative_to(ROOT)) for folder in FOLDERS for path in (ROOT / folder).rglob("*.min.*")}
    assert found == set(VENDORED)
