"""Signs a bundle and checks who signed it: Ed25519 (RFC 8032) over its manifest, as `openssl pkeyutl` does.

Checksums tell that a bundle is whole. Whoever may write into its folder can write a manifest that fits, too;
a signature tells that it was made by the holder of a key.

    openssl genpkey -algorithm ed25519 -out signing.pem     the private key: it stays where bundles are made
    openssl pkey -in signing.pem -pubout -out public.pem    the public key: it goes where they are served
"""

from pathlib import Path
from typing import TYPE_CHECKING

from deploy.errors import BundleError
from deploy.manifest import MANIFEST, SIGNATURE

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

_HOW = "make a pair with openssl genpkey -algorithm ed25519 (docs/serving.md)"


def sign(folder: Path, key: Path) -> None:
    """Sign the bundle in `folder` with the private key in the PEM file `key`.

    Raises:
        BundleError: the file holds no private Ed25519 key.
    """
    signature = _private(key).sign((folder / MANIFEST).read_bytes())
    (folder / SIGNATURE).write_bytes(signature)


def check_signature(folder: Path, key: Path) -> None:
    """Return if the bundle in `folder` was signed with the other half of the public key in the file `key`.

    Raises:
        BundleError: it was not, or the file holds no public Ed25519 key.
    """
    from cryptography.exceptions import InvalidSignature

    public = _public(key)
    path = folder / SIGNATURE
    if path.is_symlink() or not path.is_file():
        raise BundleError(
            f"{folder} is not signed, and serve.public_key is {key}: set bundle.signing_key and run "
            "dvc repro bundle, or take the bundle from who made it"
        )
    try:
        public.verify(path.read_bytes(), (folder / MANIFEST).read_bytes())
    except InvalidSignature:
        raise BundleError(
            f"{folder} was not signed with the key of {key}: its manifest is another's, or was changed; take "
            "the bundle anew from who made it"
        ) from None


def _private(path: Path) -> "Ed25519PrivateKey":
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        key = load_pem_private_key(_pem(path, "bundle.signing_key"), password=None)
    except (ValueError, TypeError) as error:
        raise BundleError(f"bundle.signing_key {path} holds no private key: {error}; {_HOW}") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise BundleError(f"bundle.signing_key {path} holds a key of another kind; {_HOW}")
    return key


def _public(path: Path) -> "Ed25519PublicKey":
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    try:
        key = load_pem_public_key(_pem(path, "serve.public_key"))
    except ValueError as error:
        raise BundleError(f"serve.public_key {path} holds no public key: {error}; {_HOW}") from None
    if not isinstance(key, Ed25519PublicKey):
        raise BundleError(f"serve.public_key {path} holds a key of another kind; {_HOW}")
    return key


def _pem(path: Path, setting: str) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise BundleError(f"{setting} {path} cannot be read: {error.strerror}; {_HOW}") from None
