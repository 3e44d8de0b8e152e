"""Paths that follow from others: told where nothing else explains them, and rightly replayed in any order of events."""

from gitlab_hub.inventory.model import Resource, ResourceType
from gitlab_hub.storage.rows import content_hash
from tests.fakes.table import MemoryTable
from tests.functional.access.changes.replay import View, brief, replayed, stored, told
from tests.functional.access.changes.stores import store_over

GROUP, PROJECT = ResourceType.GROUP, ResourceType.PROJECT


class Estate:
    """Groups and projects that are stored in pages, as a sync or a hint would."""

    def __init__(self, **paths: str) -> None:
        self.table = MemoryTable()
        self.write(**paths)
        self.baseline: View = stored(self.table)
        store_over(self.table).feed.begin([])

    def write(self, **paths: str) -> None:
        """Store one page: `g1="acme"` is a group, `p8_1="acme/shop"` a project in group 1."""
        store = store_over(self.table)
        for kind, letter in ((GROUP, "g"), (PROJECT, "p")):
            page = [
                store.inventory.row(kind, _resource(name, path)) for name, path in paths.items() if name[0] == letter
            ]
            rows = store.inventory.resources[kind]
            hashes = {row.key: content_hash(row.item) for row in page}
            known = rows.stored_of("all", list(hashes))
            rows.put("all", [row for row in page if known.get(row.key) != hashes[row.key]], hashes, known)

    def remove(self, *names: str) -> None:
        store = store_over(self.table)
        for name in names:
            rows = store.inventory.resources[GROUP if name[0] == "g" else PROJECT]
            key = f"{int(name[1:].partition('_')[0]):012d}"
            rows.remove("all", rows.stored_of("all", [key]), at=None)  # type: ignore[arg-type]  # rows simply go

    def told(self) -> list[str]:
        """What was told of whom, once the replay was found to be right."""
        entries = told(self.table)
        assert replayed(self.baseline, entries) == stored(self.table)
        return [" ".join(map(str, one)).removeprefix("resource_") for one in brief(entries)]


def _resource(name: str, path: str) -> Resource:
    number, _, parent = name[1:].partition("_")
    return Resource(id=int(number), full_path=path, name=f"Name {number}", parent_id=int(parent) if parent else None)


def test_a_renamed_group_moves_all_below_it_on_one_page_or_on_many() -> None:
    estate = Estate(g1="acme", g2_1="acme/teams", g3_2="acme/teams/red", p8_1="acme/shop", p9_3="acme/teams/red/wiki")
    estate.write(g3_2="ember/teams/red", g1="ember", g2_1="ember/teams")
    estate.write(p8_1="ember/shop", p9_3="ember/teams/red/wiki")
    assert estate.told() == ["moved group 1"]
    estate.write(g1="oak")
    estate.write(g2_1="oak/crew")
    estate.write(g3_2="oak/crew/red", p9_3="oak/crew/red/wiki", p8_1="oak/shop")
    assert estate.told() == ["moved group 1", "moved group 1", "moved group 2"]


def test_a_group_on_a_later_page_does_not_explain_what_came_before_it() -> None:
    estate = Estate(g5="acme", g2_5="acme/teams", p8_2="acme/teams/shop")
    estate.write(g2_5="ember/teams")
    estate.write(g5="ember")
    estate.write(p8_2="ember/teams/shop")
    assert estate.told() == ["moved group 2", "moved group 5"]


def test_a_name_that_is_given_back_before_the_group_is_read() -> None:
    estate = Estate(g1="acme", p8_1="acme/shop")
    estate.write(p8_1="ember/shop")
    estate.write(p8_1="acme/shop")
    assert estate.told() == ["moved project 8", "moved project 8"]
    estate.write(g1="oak")
    estate.write(p8_1="oak/shop")
    assert estate.told() == ["moved project 8", "moved project 8", "moved group 1"]


def test_a_newcomer_that_is_read_before_and_after_its_group() -> None:
    estate = Estate(g1="acme")
    estate.write(p8_1="ember/shop")
    estate.write(g1="ember")
    estate.write(p9_1="ember/wiki")
    estate.write(g1="oak")
    estate.write(p8_1="oak/shop", p9_1="oak/wiki")
    assert estate.told() == [
        "added project 8", "moved group 1", "added project 9", "moved group 1", "moved project 8",
    ]  # fmt: skip


def test_what_a_group_that_is_not_seen_does_is_told_of_what_lies_in_it() -> None:
    estate = Estate(g2_1="acme/teams", p8_1="acme/shop", p9="jane/dotfiles")
    estate.write(g2_1="ember/teams", p8_1="ember/shop", p9="jane.doe/dotfiles")
    assert estate.told() == ["moved group 2", "moved project 8", "moved project 9"]


def test_a_group_that_goes_leaves_what_stays_where_it_was() -> None:
    estate = Estate(g1="acme", g2_1="acme/teams", p8_2="acme/teams/shop", p9_1="acme/wiki")
    estate.write(g1="ember", g2_1="ember/teams")
    estate.write(p8_2="ember/teams/shop", p9_1="ember/wiki")
    estate.remove("g2_1", "g1")
    assert estate.told() == ["moved group 1", "removed group 2", "removed group 1"]
    estate.write(p8_2="oak/teams/shop")
    estate.write(g2_1="oak/teams")
    assert estate.told()[3:] == ["moved project 8", "added group 2"]


def test_a_project_whose_group_was_renamed_and_is_seen_no_more() -> None:
    estate = Estate(g1="acme", p8_1="acme/shop")
    estate.write(p8_1="ember/shop")
    estate.remove("g1")
    assert estate.told() == ["moved project 8", "removed group 1"]


def test_whatever_is_moved_elsewhere_is_told() -> None:
    estate = Estate(g1="acme", g2="ops", g3_1="acme/teams", p8_3="acme/teams/shop")
    estate.write(g3_2="ops/teams")
    estate.write(p8_3="ops/teams/shop")
    assert estate.told() == ["moved group 3"]
    estate.write(p8_2="ops/shop")
    assert estate.told() == ["moved group 3", "moved project 8"]
