"""Protects who may make what is served: a bundle whose manifest fits but is another's is refused."""

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from deploy.errors import BundleError
from deploy.manifest import MANIFEST, SIGNATURE
from deploy.signature import check_signature, sign


def pair(folder: Path, name: str) -> tuple[Path, Path]:
    """The files of a new private and public key, as openssl writes them."""
    key = Ed25519PrivateKey.generate()
    private, public = folder / f"{name}.pem", folder / f"{name}.pub.pem"
    private.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    public.write_bytes(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    return private, public


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """A folder with a manifest; what it says does not matter here."""
    folder = tmp_path / "bundle"
    folder.mkdir()
    (folder / MANIFEST).write_text('{"name": "tiny"}')
    return folder


def test_a_signed_bundle_passes_with_the_other_half_of_its_key_alone(bundle: Path, tmp_path: Path) -> None:
    private, public = pair(tmp_path, "ours")
    _, others = pair(tmp_path, "theirs")
    sign(bundle, private)
    check_signature(bundle, public)
    with pytest.raises(BundleError, match=r"was not signed with the key of .*theirs\.pub\.pem"):
        check_signature(bundle, others)


def test_a_manifest_that_was_changed_or_not_signed_is_refused(bundle: Path, tmp_path: Path) -> None:
    private, public = pair(tmp_path, "ours")
    with pytest.raises(BundleError, match=r"is not signed, and serve\.public_key is"):
        check_signature(bundle, public)
    sign(bundle, private)
    (bundle / MANIFEST).write_text('{"name": "forged"}')
    with pytest.raises(BundleError, match="its manifest is another's, or was changed"):
        check_signature(bundle, public)
    (bundle / SIGNATURE).write_bytes(b"short")
    with pytest.raises(BundleError, match="was not signed with the key"):
        check_signature(bundle, public)


def test_what_is_no_key_is_named_with_how_to_make_one(bundle: Path, tmp_path: Path) -> None:
    private, public = pair(tmp_path, "ours")
    words = tmp_path / "words.pem"
    words.write_text("words")
    other = tmp_path / "rsa.pem"
    rsa = generate_private_key(public_exponent=65537, key_size=2048)
    other.write_bytes(rsa.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    for file, fault in ((words, "holds no private key"), (other, "another kind"), (public, "no private key")):
        with pytest.raises(BundleError, match=rf"bundle\.signing_key .*{fault}.*openssl genpkey"):
            sign(bundle, file)
    with pytest.raises(BundleError, match=r"missing\.pem cannot be read: No such file"):
        sign(bundle, tmp_path / "missing.pem")
    sign(bundle, private)
    with pytest.raises(BundleError, match=r"serve\.public_key .* holds no public key"):
        check_signature(bundle, private)
