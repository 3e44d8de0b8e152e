"""A slice is bounded, whatever its source gives: by rows, by bytes, by files, by what is looked at, and by time."""

from collections.abc import Iterator
from itertools import count

import pytest

from gitlab_hub.exports import slices
from gitlab_hub.exports.model import WHOLE, Asked, Batch, Dataset, Export, Format, Partition, Place
from gitlab_hub.exports.slices import Slice, read_slice

DAYS = [f"2026-11-{day:02d}" for day in range(1, 31)]
A_LONG_TIME = 1_000.0


class Endless:
    """Rows without an end: `per_day` of each day, `width` letters wide; or no rows at all (`per_day` 0)."""

    def __init__(self, per_day: int = 5, *, width: int = 10) -> None:
        self.per_day, self.width, self.read = per_day, width, 0

    def total(self, asked: Asked) -> int | None:
        return 1

    def batches(self, asked: Asked, behind: Place) -> Iterator[Batch]:
        for number in count(int(behind.after or 0)):
            self.read += 1
            place = Place(project="p", after=str(number + 1))
            if not self.per_day:
                yield Batch(place=place)
                continue
            project, day = divmod(number // self.per_day, len(DAYS))
            partition = Partition(project_id=project, day=DAYS[day])
            yield Batch(rows=[{"id": number, "ref": "x" * self.width}], place=place, partition=partition)


def export(how: Format = Format.CSV, *, dataset: Dataset = Dataset.PIPELINES, behind: str | None = None) -> Export:
    asked = Asked(integration_id="i1", dataset=dataset, format=how)
    return Export(
        id="exp_1", asked=asked, created_at=0, created_by="t", expires_at=1, place=Place(after=behind), total=1
    )


def read(source: Endless, left: float = A_LONG_TIME, **more: str) -> Slice:
    return read_slice(export(**more), source, lambda: left)  # type: ignore[arg-type]


def test_it_ends_with_a_day_once_there_are_enough_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slices, "ENOUGH_ROWS", 12)
    found = read(Endless(per_day=5))
    assert (found.rows, found.place.after, found.is_last) == (15, "15", False)
    assert [part.rows for part in found.parts.values()] == [5, 5, 5]


def test_a_day_without_an_end_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slices, "MOST_ROWS", 40)
    found = read(Endless(per_day=10**9))
    assert (found.rows, len(found.parts)) == (40, 1)


@pytest.mark.parametrize("how", [Format.CSV, Format.PARQUET])
def test_it_holds_a_bounded_number_of_bytes(how: Format, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slices, "ENOUGH_BYTES", 10_000)
    monkeypatch.setattr(slices, "MOST_BYTES", 30_000)
    assert 10_000 <= read(Endless(per_day=2, width=500), how=how).held < 12_500
    assert 30_000 <= read(Endless(per_day=10**9, width=500), how=how).held < 32_000


def test_it_makes_a_bounded_number_of_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slices, "MOST_PARTS", 7)
    found = read(Endless(per_day=3))
    assert (len(found.parts), found.rows) == (7, 21)


def test_where_nothing_is_found_it_ends_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slices, "MOST_BATCHES", 50)
    found = read(Endless(per_day=0))
    assert (found.batches, found.rows, found.parts, found.place.after) == (50, 0, {}, "50")


def test_out_of_time_it_ends_wherever_it_is_and_never_before_it_has_read_something() -> None:
    source = Endless()
    found = read(source, left=slices.LEAST_SECONDS - 1)
    assert (found.batches, found.place.after) == (1, "1")


def test_the_next_slice_goes_on_behind_it_and_nothing_is_read_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slices, "ENOUGH_ROWS", 4)
    first = read(Endless(per_day=3))
    second = read(Endless(per_day=3), behind=first.place.after or "")
    assert (first.rows, second.rows, second.place.after) == (6, 6, "12")


def test_a_list_with_nothing_in_it_makes_one_file_and_pipelines_make_none() -> None:
    class Nothing(Endless):
        def batches(self, asked: Asked, behind: Place) -> Iterator[Batch]:
            return iter(())

    of_accounts = read_slice(export(dataset=Dataset.ACCOUNTS), Nothing(), lambda: A_LONG_TIME)
    assert list(of_accounts.parts) == []  # `total` says that there are projects to go through
    asked = Asked(integration_id="i1", dataset=Dataset.ACCOUNTS, format=Format.CSV)
    bare = Export(id="exp_1", asked=asked, created_at=0, created_by="t", expires_at=1)
    assert list(read_slice(bare, Nothing(), lambda: A_LONG_TIME).parts) == [WHOLE]
