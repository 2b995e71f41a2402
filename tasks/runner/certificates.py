"""Certificates for one cluster: whoever has them belongs to it, and they end with it."""

import ssl
from datetime import UTC, datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from distributed.security import Security

# They must not lapse, nor be of the future when somebody sets the clock back.
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
LATEST = datetime(9999, 12, 31, tzinfo=UTC)


def make_security() -> Security:
    """Return new certificates, which are held in memory alone, for all that a cluster consists of.

    It does what `Security.temporary` of Dask does, without its dates and the time that its key
    takes; what the user has set for other clusters does not hold for these.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    certificate = _sign(key)

    roles: dict[str, str] = {}
    for role in ("client", "scheduler", "worker"):
        roles |= {f"tls_{role}_key": pem, f"tls_{role}_cert": certificate}
    return Security(  # type: ignore[no-untyped-call]
        require_encryption=True,
        tls_ca_file=certificate,
        tls_ciphers=None,
        tls_min_version=ssl.TLSVersion.TLSv1_3,
        tls_max_version=None,
        **roles,
    )


def _sign(key: ec.EllipticCurvePrivateKey) -> str:
    """Return a certificate of a key, signed by itself."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "afterfit")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(EARLIEST)
        .not_valid_after(LATEST)
        .sign(key, hashes.SHA256())
    )
    return certificate.public_bytes(Encoding.PEM).decode()
