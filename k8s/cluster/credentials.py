"""The Secrets that the manifests name: made once, never changed, never printed, sent on standard input only."""

from __future__ import annotations

import base64
import json
import os
import secrets
from collections.abc import Callable
from pathlib import Path

from k8s.cluster.certificate import days_left, make_certificate, names_of
from k8s.cluster.kubectl import Kubectl, to_json
from k8s.cluster.objects import FIELD_MANAGER, GENLEVEL, PART_OF, Object, name, walk
from k8s.cluster.problem import Problem
from k8s.cluster.refusals import problem
from k8s.cluster.session import Session

TOKEN, DATABASE, TLS, STORE = "genlevel-token", "genlevel-database", "genlevel-tls", "genlevel-store"
_EXPIRES_SOON = 30
Held = dict[str, dict[str, str]]  # by Secret and key


def referenced(documents: list[Object]) -> dict[str, set[str]]:
    """Secrets that the objects name and cannot start without, each with the keys they name."""
    found: dict[str, set[str]] = {}
    for mapping in (part for document in documents for part in walk(document)):
        for title, keys in _references(mapping):
            found.setdefault(title, set()).update(keys)
    made_here = {document["metadata"]["name"] for document in documents if document["kind"] == "Secret"}
    return {title: keys for title, keys in found.items() if title not in made_here}


def ensure_secrets(session: Session, documents: list[Object]) -> Held:
    """Make the Secrets that are missing, check those that are there, and return what they all hold.

    Raises:
        Problem: a Secret is missing that only the operator can make, or lacks a key.
    """
    makers = _makers(session, documents)
    needed = sorted(referenced(documents).items())
    present = read_secrets(session.kubectl, [title for title, _ in needed])
    absent = {title: keys for title, keys in needed if title not in present}
    for title, keys in absent.items():
        if title not in makers:
            named = " ".join(f"--from-file={key}=FILE" for key in sorted(keys)) or "--from-file=KEY=FILE"
            raise Problem(
                f"the manifests need the Secret {title}, which is not there",
                f"Make it: `kubectl -n genlevel create secret generic {title} {named}`.",
            )
    made = {title: makers[title]() for title in absent}
    _create(session.kubectl, made)
    for title in made:
        session.say(f"secret/{title} made")
    held = {**present, **made}
    for title, keys in needed:
        _look_at_keys(title, keys, held[title])
    if TLS in held:
        _look_at_certificate(session, held[TLS])
    return held


def _makers(session: Session, documents: list[Object]) -> dict[str, Callable[[], dict[str, str]]]:
    """What this tool can make; keys of a database or a bucket elsewhere are the operator's to give."""
    makers: dict[str, Callable[[], dict[str, str]]] = {
        TOKEN: lambda: {"token": secrets.token_urlsafe(32)},
        TLS: lambda: _tls(session),
    }
    rendered = {name(document) for document in documents if document["kind"] in ("StatefulSet", "Deployment")}
    if "database" in rendered:
        makers[DATABASE] = _database
    if "store" in rendered:
        makers[STORE] = _store
    return makers


def read_secrets(kubectl: Kubectl, titles: list[str]) -> Held:
    """What those of the Secrets hold that are there.

    Raises:
        Problem: they may not be read.
    """
    found = kubectl.items("secret", *titles, doing="reading the Secrets") if titles else []
    return {name(one): {key: base64.b64decode(value).decode() for key, value in (one.get("data") or {}).items()} for one in found}


def write_client_files(session: Session, held: Held) -> tuple[Path, Path]:
    """Write the authority's certificate and the token, readable by their owner alone, and return both paths.

    Raises:
        Problem: the Secrets do not have them.
    """
    paths = []
    for title, key, file in ((TLS, "ca.crt", "ca.crt"), (TOKEN, "token", "token")):
        content = held.get(title, {}).get(key)
        if content is None:
            raise Problem(
                f"the cluster has no Secret {title} with {key}", "Run `make up` first; a Secret of your own needs that key too."
            )
        path = session.folder / file
        write_private(path, content)
        paths.append(path)
    return paths[0], paths[1]


def write_private(path: Path, content: str) -> None:
    """Write a file that only its owner can read, from its first moment on."""
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(content)


def _references(mapping: Object) -> list[tuple[str, set[str]]]:
    """References in one mapping: an environment variable, a whole environment, a volume, a part of a projected volume."""
    found = []
    for field, name_field in (("secretKeyRef", "name"), ("secretRef", "name"), ("secret", "name"), ("secret", "secretName")):
        reference = mapping.get(field)
        if isinstance(reference, dict) and isinstance(reference.get(name_field), str) and not reference.get("optional"):
            keys = {reference["key"]} if "key" in reference else set()
            keys |= {item["key"] for item in reference.get("items") or []}
            found.append((reference[name_field], keys))
    return found


def _create(kubectl: Kubectl, made: Held) -> None:
    if not made:
        return
    documents = [
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": title, "namespace": kubectl.namespace, "labels": {PART_OF: GENLEVEL}},
            "type": "kubernetes.io/tls" if title == TLS else "Opaque",
            "stringData": content,
        }
        for title, content in made.items()
    ]
    # `create`, not `apply`: it cannot change a Secret that is there.
    done = kubectl.call("create", "--field-manager", FIELD_MANAGER, "-f", "-", "-o", "name", text=to_json(documents))
    if done.returncode != 0:
        raise problem(_scrubbed(done.stderr, made), kubectl.context, f"making the Secrets {', '.join(made)}")


def _scrubbed(text: str, made: Held) -> str:
    """Words of the server without anything secret, should it quote what it was sent."""
    for value in (value for content in made.values() for value in content.values()):
        for shown in (value, json.dumps(value)[1:-1], base64.b64encode(value.encode()).decode()):
            text = text.replace(shown, "(secret)")
    return text


def _look_at_keys(title: str, keys: set[str], content: dict[str, str]) -> None:
    lacking = sorted(keys - set(content))
    if lacking:
        raise Problem(
            f"the Secret {title} lacks {', '.join(lacking)}",
            f"Add what is missing, or have it made anew: `kubectl -n genlevel delete secret {title}`, then `make up`.",
        )


def _database() -> dict[str, str]:
    password = secrets.token_urlsafe(24)
    url = f"postgresql+psycopg://genlevel:{password}@database:5432/genlevel"
    return {"database-url": url, "user": "genlevel", "password": password, "database": "genlevel"}


def _store() -> dict[str, str]:
    return {"AWS_ACCESS_KEY_ID": secrets.token_hex(10).upper(), "AWS_SECRET_ACCESS_KEY": secrets.token_urlsafe(30)}


def _tls(session: Session) -> dict[str, str]:
    made = make_certificate(session.kubectl.namespace, session.options.hosts)
    return {"tls.crt": made.certificate, "tls.key": made.key, "ca.crt": made.authority}


def _look_at_certificate(session: Session, content: dict[str, str]) -> None:
    left = days_left(content["tls.crt"])
    anew = "`kubectl -n genlevel delete secret genlevel-tls`, then `make up` and `kubectl -n genlevel rollout restart deployment/orchestrator` (clients need the new ca.crt)"
    if left < 0:
        raise Problem("the certificate in the Secret genlevel-tls has ended", f"Put a new one there, or have one made: {anew}.")
    names = names_of(content["tls.crt"])
    absent = [host for host in session.options.hosts if not names & {host, f"*.{host.partition('.')[2]}"}]
    if absent:
        session.warn(f"the certificate in the Secret genlevel-tls is not for {', '.join(absent)}; have a new one made: {anew}")
    if left < _EXPIRES_SOON:
        session.warn(f"the certificate in the Secret genlevel-tls ends in {left} days; have a new one made: {anew}")
