"""A private authority and one certificate of it, for the orchestrator and the gateway."""

from __future__ import annotations

import datetime as dt
import ipaddress
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

DAYS = 825
_SERVERS = ("orchestrator", "gateway")


@dataclass(frozen=True)
class Certificate:
    """PEM texts."""

    authority: str
    certificate: str
    key: str


def make_certificate(namespace: str, hosts: tuple[str, ...]) -> Certificate:
    """Make an authority, sign one server certificate with it, and forget the authority's key."""
    authority_key = ec.generate_private_key(ec.SECP256R1())
    authority_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"GenLevel authority of {namespace}")])
    key_id = x509.SubjectKeyIdentifier.from_public_key(authority_key.public_key())
    authority = (
        _builder(authority_name, authority_name, authority_key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .add_extension(key_id, critical=False)
        .sign(authority_key, hashes.SHA256())
    )
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "orchestrator")])
    certificate = (
        _builder(subject, authority_name, key.public_key())
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName(_names(namespace, hosts)), critical=False)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(key_id), critical=False)
        .sign(authority_key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return Certificate(authority.public_bytes(pem).decode(), certificate.public_bytes(pem).decode(), private.decode())


def days_left(certificate: str) -> int:
    """Days until a PEM certificate ends; negative when it has ended."""
    end = x509.load_pem_x509_certificate(certificate.encode()).not_valid_after_utc
    return (end - dt.datetime.now(dt.UTC)).days


def names_of(certificate: str) -> set[str]:
    """Names and addresses that a PEM certificate is good for."""
    try:
        found = (
            x509.load_pem_x509_certificate(certificate.encode())
            .extensions.get_extension_for_class(x509.SubjectAlternativeName)
            .value
        )
    except x509.ExtensionNotFound:
        return set()
    return {str(value) for kind in (x509.DNSName, x509.IPAddress) for value in found.get_values_for_type(kind)}


def _builder(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    now = dt.datetime.now(dt.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(days=DAYS))
    )


def _usage(signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates, key_cert_sign=signs_certificates, crl_sign=signs_certificates,
        content_commitment=False, key_encipherment=False, data_encipherment=False, key_agreement=False,
        encipher_only=False, decipher_only=False,
    )  # fmt: skip


def _names(namespace: str, hosts: tuple[str, ...]) -> list[x509.GeneralName]:
    suffixes = ("", f".{namespace}", f".{namespace}.svc", f".{namespace}.svc.cluster.local")
    inside = [f"{server}{suffix}" for server in _SERVERS for suffix in suffixes]
    return [_general_name(host) for host in (*inside, "localhost", "127.0.0.1", *hosts)]


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)
