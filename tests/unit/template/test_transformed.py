"""What is kept of a template after SAM's transform is that of this very template."""

from pathlib import Path
from typing import Any

import pytest

from tests.unit.template import transformed


def test_a_template_is_transformed_once_and_a_changed_one_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    template, cache, done = tmp_path / "template.yaml", tmp_path / "cache", []

    def transform(read: dict[str, Any]) -> dict[str, Any]:
        done.append(read)
        return {"of": read["name"]}

    def name() -> str:
        return str(transformed.kept(template, cache, transform)["of"])

    template.write_text("name: one")
    assert (name(), name(), len(done)) == ("one", "one", 1)
    template.write_text("name: two")
    assert (name(), name(), len(done)) == ("two", "two", 2)
    monkeypatch.setattr("samtranslator.__version__", "another")
    assert (name(), len(done)) == ("two", 3)
    assert [one.suffix for one in cache.iterdir()] == [".json"] * 3
