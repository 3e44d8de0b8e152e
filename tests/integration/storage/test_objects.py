from collections.abc import Iterator
from hashlib import sha256
from urllib.request import urlopen

import pytest

from gitlab_hub.storage.ports import ObjectMissing, Objects
from gitlab_hub.storage.s3 import S3Objects
from tests.integration.storage.backends import Stores

MEDIA = "text/csv"
LARGE = [bytes([number]) * 1_000_000 for number in range(12)]
"""More than one part; the sixth of them ends within the second part."""


@pytest.fixture
def objects(stores: Stores) -> Objects:
    return stores.objects


def content(objects: Objects, key: str) -> bytes:
    return b"".join(objects.read(key))


@pytest.mark.parametrize(
    "parts", [[], [b""], [b"one"], [b"o", b"", b"ne"], LARGE], ids=["0", "empty", "1", "3", "12 MB"]
)
def test_what_is_written_is_read_back(objects: Objects, parts: list[bytes]) -> None:
    whole = b"".join(parts)
    written = objects.write("a/b", parts, media=MEDIA)
    assert (written.size, written.sha256) == (len(whole), sha256(whole).hexdigest())
    assert content(objects, "a/b") == whole


def test_a_later_object_takes_the_place_of_the_one_before(objects: Objects) -> None:
    objects.write("a", [b"first"], media=MEDIA)
    objects.write("a", [b"2"], media=MEDIA)
    assert content(objects, "a") == b"2"


@pytest.mark.parametrize("before", [0, 1, 11])
def test_what_is_cut_short_shows_nothing_and_leaves_what_was_there(objects: Objects, before: int) -> None:
    def parts() -> Iterator[bytes]:
        yield from LARGE[:before]
        raise TimeoutError

    with pytest.raises(TimeoutError):
        objects.write("new", parts(), media=MEDIA)
    assert objects.keys("") == []
    objects.write("old", [b"kept"], media=MEDIA)
    with pytest.raises(TimeoutError):
        objects.write("old", parts(), media=MEDIA)
    assert content(objects, "old") == b"kept"


def test_what_is_not_there_is_missing(objects: Objects) -> None:
    with pytest.raises(ObjectMissing):
        content(objects, "a")
    objects.delete(["a"])
    objects.delete([])


def test_keys_are_listed_by_their_beginning_in_order(objects: Objects) -> None:
    for key in ("b/2", "a/3", "b/1", "b/10"):
        objects.write(key, [b"x"], media=MEDIA)
    assert objects.keys("b/") == ["b/1", "b/10", "b/2"]
    assert objects.keys("b/", limit=2) == ["b/1", "b/10"]
    assert objects.keys("b/", limit=2, after="b/10") == ["b/2"]
    assert objects.keys("b/", after="a/9") == ["b/1", "b/10", "b/2"]
    assert objects.keys("b/", after="b/2") == []
    objects.delete(["b/1", "b/2", "nothing"])
    assert objects.keys("") == ["a/3", "b/10"]


def test_a_link_reads_the_object_as_a_file(stores: Stores) -> None:
    stores.objects.write("int_1/a.csv", [b"a,b\r\n"], media=MEDIA)
    link = stores.objects.link("int_1/a.csv", filename="review.csv", seconds=60)
    assert "int_1/a.csv" in link
    assert "review.csv" in link
    if stores.name == "ministack":
        with urlopen(link, timeout=60) as answer:  # noqa: S310 our own child
            assert answer.read() == b"a,b\r\n"
            assert answer.headers["Content-Type"] == MEDIA


def test_links_of_aws_name_the_region_and_end() -> None:
    import boto3  # noqa: PLC0415 - for the client of this test alone

    from gitlab_hub.storage.s3 import client_config  # noqa: PLC0415

    client = boto3.client(
        "s3",
        region_name="eu-central-1",
        aws_access_key_id="a",
        aws_secret_access_key="b",
        config=client_config("virtual"),
    )
    link = S3Objects("exports", lambda: client).link("k.csv", filename="r.csv", seconds=300)
    assert link.startswith("https://exports.s3.eu-central-1.amazonaws.com/k.csv?")
    assert "X-Amz-Expires=300" in link
    assert "X-Amz-Algorithm=AWS4-HMAC-SHA256" in link
