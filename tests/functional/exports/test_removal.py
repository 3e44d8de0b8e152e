from math import inf

from gitlab_hub.composition.access_work import access_work
from tests.fakes.container import MemoryContainer
from tests.fakes.gitlab import ScriptedConnector, ScriptedGitLab
from tests.functional.exports.export_hub import NOW, ExportHub


def test_exports_go_with_their_integration_and_those_of_others_stay() -> None:
    hub = ExportHub()
    for integration in ("i1", "i2"):
        hub.project(15, integration=integration)
        hub.pipeline(1, "2026-11-01T10:00:00Z", integration=integration)
    hub.made()
    hub.call("POST", "", {"dataset": "pipelines", "format": "csv"}, integration="i2")
    hub.work()
    container = MemoryContainer(
        ScriptedConnector(ScriptedGitLab()), tables={"integrations": hub.integrations}, now=lambda: float(NOW)
    )
    container.bucket = hub.bucket
    work, _ = access_work(container, container.table("access_table"), container.table("deliveries_table"))
    for table, partitions in work.purges:
        for pk in partitions("i1"):
            table.write(deletes=[(row["pk"], row["sk"]) for row in table.query(pk).items])
    assert all(is_emptied("i1", lambda: inf) for is_emptied in work.emptied_beside)
    kept = {row["pk"] for row in hub.integrations.dump() if row["pk"].startswith("EXPORT")}
    assert kept == {"EXPORTS#i2", "EXPORT_FILES#i2"}
    assert {key.split("/")[1] for key in hub.bucket.dump()} == {"i2"}
