"""What Secrets Manager may answer beside success, said by a scripted client."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError

from gitlab_hub.storage.ports import SecretMissing, StorageRefused, StorageUnavailable
from gitlab_hub.storage.secretsmanager import SecretsManager

# https://docs.aws.amazon.com/secretsmanager/latest/userguide/manage_delete-secret.html: the removal is asynchronous.
MARKED = "You can't perform this operation on the secret because it was marked for deletion."
SCHEDULED = "You can't create this secret because a secret with this name is already scheduled for deletion."
VERSION = str(uuid4())


class Refusing:
    """A client that refuses every call with one error."""

    def __init__(self, code: str, message: str) -> None:
        self.asked: list[str] = []
        self._error = ClientError({"Error": {"Code": code, "Message": message}}, "Operation")

    def __getattr__(self, operation: str) -> Any:
        def call(**_: Any) -> Any:
            self.asked.append(operation)
            raise self._error

        return call


def refused(code: str, message: str) -> SecretsManager:
    return over(Refusing(code, message))


def over(client: Refusing) -> SecretsManager:
    return SecretsManager("hub/", lambda: client)  # type: ignore[arg-type,return-value]  # a stand-in


CALLS: dict[str, Callable[[SecretsManager], object]] = {
    "read": lambda secrets: secrets.read("a", version=VERSION),
    "write": lambda secrets: secrets.write("a", {"n": 1}, version=VERSION),
}


@pytest.mark.parametrize("call", CALLS)
def test_a_secret_that_is_marked_for_deletion_is_gone(call: str) -> None:
    with pytest.raises(SecretMissing):
        CALLS[call](refused("InvalidRequestException", MARKED))


def test_deleting_it_again_is_no_error() -> None:
    client = Refusing("InvalidRequestException", MARKED)
    over(client).delete("a")
    assert client.asked == ["delete_secret"]


def test_a_name_that_is_still_being_removed_can_be_taken_later() -> None:
    with pytest.raises(StorageUnavailable):
        refused("InvalidRequestException", SCHEDULED).create("a", {"n": 1}, version=VERSION)


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("code", ["InvalidRequestException", "AccessDeniedException", "DecryptionFailure"])
def test_what_will_not_pass_is_refused_and_named_without_aws_own_words(call: str, code: str) -> None:
    with pytest.raises(StorageRefused, match=code) as refusal:
        CALLS[call](refused(code, "You have to name a version."))
    assert "name a version" not in str(refusal.value)


class Holding:
    """A client whose secret holds this."""

    def __init__(self, **answer: Any) -> None:
        self._answer = answer

    def get_secret_value(self, **_: Any) -> Any:
        return self._answer


@pytest.mark.parametrize(
    "answer", [{"SecretString": "s3cret"}, {"SecretString": '["s3cret"]'}, {"SecretBinary": b"s3"}]
)
def test_a_secret_that_somebody_overwrote_with_no_object_is_refused_without_its_text(answer: Any) -> None:
    holding: Any = Holding(**answer)
    with pytest.raises(StorageRefused, match="JSON object") as refusal:
        SecretsManager("hub/", lambda: holding).read("a")
    assert "s3" not in str(refusal.value)
    assert refusal.value.__cause__ is None
