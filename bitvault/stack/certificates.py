"""A certificate authority and one certificate of its own for the store's gRPC ports: without it nobody gets in by that door."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from bitvault.stack.ports import LOOPBACK
from bitvault.stack.secrets import write_private

# Longer than any embedded install lives; the authority's key is thrown away after its one signature, so nothing else
# can be made.
VALID_DAYS = 3650

# A clock that was set back a little must not refuse a certificate made before.
BACKDATED = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class NodeCertificate:
    """Where the authority's certificate, the node's certificate and the node's key lie."""

    authority: Path
    certificate: Path
    key: Path


def ensure_certificate(directory: Path) -> NodeCertificate:
    """Make authority and certificate for loopback on first use; afterwards give what is there."""
    paths = NodeCertificate(
        authority=directory / "authority.pem", certificate=directory / "node.pem", key=directory / "node.key"
    )
    if all(path.exists() for path in (paths.authority, paths.certificate, paths.key)):
        return paths
    directory.mkdir(mode=0o700, exist_ok=True)
    authority_key = ec.generate_private_key(ec.SECP256R1())
    node_key = ec.generate_private_key(ec.SECP256R1())
    issuer = _name("BitVault embedded store authority")
    authority = (
        _builder(issuer, issuer, authority_key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(authority_key, hashes.SHA256())
    )
    node = (
        _builder(_name("BitVault embedded store"), issuer, node_key.public_key())
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(IPv4Address(LOOPBACK))]), critical=False)
        .add_extension(
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False
        )
        .sign(authority_key, hashes.SHA256())
    )
    key_text = node_key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    write_private(paths.authority, authority.public_bytes(serialization.Encoding.PEM).decode())
    write_private(paths.certificate, node.public_bytes(serialization.Encoding.PEM).decode())
    write_private(paths.key, key_text.decode())
    return paths


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _builder(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    start = datetime.now(UTC) - BACKDATED
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + timedelta(days=VALID_DAYS))
    )
