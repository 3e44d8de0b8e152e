import ssl
from pathlib import Path

import pytest

from gitlab_hub.gitlab.errors import TlsError
from gitlab_hub.gitlab.network import tls_context


def test_certificates_are_verified_and_the_context_is_made_once() -> None:
    context = tls_context()
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)
    assert context.minimum_version >= ssl.TLSVersion.TLSv1_2
    assert tls_context() is context


@pytest.mark.parametrize("bundle", ["", "/nowhere/ca.pem", "-----BEGIN CERTIFICATE-----\nnope\n"])
def test_a_bundle_that_cannot_be_read_is_told_without_its_path(bundle: str) -> None:
    with pytest.raises(TlsError) as refused:
        tls_context(bundle)
    assert "nowhere" not in str(refused.value)


def test_a_file_that_is_no_bundle_is_told(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("nothing")
    with pytest.raises(TlsError):
        tls_context(str(tmp_path / "ca.pem"))
