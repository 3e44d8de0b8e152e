from uuid import uuid4

import pytest

from gitlab_hub.storage.ports import SecretExists, SecretMissing, Secrets
from tests.integration.storage.backends import Stores


@pytest.fixture
def secrets(stores: Stores) -> Secrets:
    return stores.secrets


def test_versions_can_be_pinned(secrets: Secrets) -> None:
    first, second = str(uuid4()), str(uuid4())
    secrets.create("integration/a", {"credentials": {"c": {"access_token": "one"}}}, version=first)
    secrets.write("integration/a", {"credentials": {"c": {"access_token": "two"}}}, version=second)
    assert secrets.read("integration/a", version=first)["credentials"]["c"]["access_token"] == "one"
    assert secrets.read("integration/a", version=second)["credentials"]["c"]["access_token"] == "two"
    assert secrets.read("integration/a")["credentials"]["c"]["access_token"] == "two"


def test_the_same_version_twice_has_one_effect(secrets: Secrets) -> None:
    first, second = str(uuid4()), str(uuid4())
    secrets.create("a", {"n": 1}, version=first)
    secrets.create("a", {"n": 1}, version=first)
    secrets.write("a", {"n": 2}, version=second)
    secrets.write("a", {"n": 2}, version=second)
    assert secrets.read("a") == {"n": 2}


def test_another_secret_of_the_name_is_not_taken_over(secrets: Secrets) -> None:
    secrets.create("a", {"n": 1}, version=str(uuid4()))
    with pytest.raises(SecretExists):
        secrets.create("a", {"n": 2}, version=str(uuid4()))
    assert secrets.read("a") == {"n": 1}


def test_what_is_not_there_is_missing(secrets: Secrets) -> None:
    with pytest.raises(SecretMissing):
        secrets.read("a")
    with pytest.raises(SecretMissing):
        secrets.write("a", {"n": 1}, version=str(uuid4()))
    secrets.create("a", {"n": 1}, version=str(uuid4()))
    with pytest.raises(SecretMissing):
        secrets.read("a", version=str(uuid4()))


def test_a_deleted_secret_is_gone_at_once(secrets: Secrets) -> None:
    secrets.create("a", {"n": 1}, version=str(uuid4()))
    secrets.delete("a")
    secrets.delete("a")
    with pytest.raises(SecretMissing):
        secrets.read("a")
    secrets.create("a", {"n": 2}, version=str(uuid4()))
    assert secrets.read("a") == {"n": 2}
