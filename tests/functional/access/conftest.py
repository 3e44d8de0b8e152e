import pytest

from gitlab_hub.inventory.model import ResourceType
from tests.functional.access.access_api import ACME, BOT, GRANTS, JANE, OLE, STORE, Client


@pytest.fixture
def client() -> Client:
    client = Client()
    client.store(JANE, OLE, BOT, ACME, *GRANTS)
    client.store(STORE, kind=ResourceType.PROJECT)
    return client
