"""Settings: one file, a few environment variables, and defaults.

The file is TOML, ``$GENLEVEL_CONFIG`` or ``~/.config/genlevel/config.toml``::

    database = "postgresql+psycopg://..."      # default: SQLite in the state folder
    [evaluators]
    language = "127.0.0.1:9000"
    image = { target = "eval-image:9000", remote = true, token_env = "GENLEVEL_TOKEN", ca = "/etc/genlevel/ca.pem" }
    [dispatch]
    in_flight = 4

``GENLEVEL_EVALUATORS`` (JSON of the same shape, or ``language=host:port,image=host:port``), ``GENLEVEL_STATE_DIR``,
``GENLEVEL_MEDIA_STORE``, ``GENLEVEL_DATABASE_FILE`` (a file that holds the URL, so that no password stands in a variable) and ``GENLEVEL_DATABASE`` go before the
file. The options of ``genlevel serve`` are its table ``[serve]``.
"""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from genlevel_orchestrator.errors import UserError


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Endpoint(_Strict):
    """Where an evaluator listens.

    Attributes:
        target: ``host:port``; every address the name resolves to is used.
        application: Ray Serve application; the evaluator's name by default.
        remote: the evaluator cannot read this machine's files: media go through ``media_store``, or are streamed to it.
        token_env: environment variable that holds its bearer token.
        ca: certificate authority file; TLS is used when it is set.
    """

    target: str = Field(pattern=r"^(unix:.+|(dns:///)?[^\s:/]+:\d+|(dns:///)?\[[0-9a-fA-F:]+\]:\d+)$")
    application: str = ""
    remote: bool = False
    token_env: str = ""
    ca: Path | None = None


class Dispatch(_Strict):
    """How work is handed out.

    Attributes:
        in_flight: shards sent to one evaluator at a time.
        tasks_open: tasks of one evaluator in work at a time.
        budget_seconds: time an evaluator has for one shard.
        attempts: how often a call is tried when the evaluator is not to be had.
        first_pause: pause before the second attempt, in seconds; doubled for each further one.
        start_seconds: how long an evaluator may take to answer at all.
        return_seconds: how long one that answered before may be gone, such as while it is started again.
        combine_fan_in: states merged in one call.
        inline_state_bytes: states larger than this lie beside the journal instead of in it.
    """

    in_flight: int = Field(default=4, ge=1, le=256)
    tasks_open: int = Field(default=8, ge=1, le=256)
    budget_seconds: float = Field(default=900.0, gt=0)
    attempts: int = Field(default=4, ge=1, le=10)
    first_pause: float = Field(default=0.5, ge=0)
    start_seconds: float = Field(default=45.0, gt=0)
    return_seconds: float = Field(default=180.0, ge=0)
    combine_fan_in: int = Field(default=16, ge=2, le=16)
    inline_state_bytes: int = Field(default=1 << 20, ge=0)


class Uploads(_Strict):
    """What clients may send.

    Attributes:
        max_bytes: of one file.
        keep_free_bytes: of the disk that holds the state folder; an upload that would take them is refused.
    """

    max_bytes: int = Field(default=64 << 30, ge=1)
    keep_free_bytes: int = Field(default=1 << 30, ge=0)


class Serve(_Strict):
    """What ``genlevel serve`` does unless its options or variables (GENLEVEL_SERVE_...) say otherwise.

    Attributes:
        health_port: port of the health service in plain text; none when left out.
        roots: folders bundles may lie in; the current one by default.
        only: evaluators; all there are by default.
        resume: take up runs that were queued or cut off.
        runs_at_once: runs at work at a time; the others wait.
    """

    host: str = "127.0.0.1"
    port: int = Field(default=9100, ge=0, le=65535)
    health_port: int | None = Field(default=None, ge=0, le=65535)
    roots: tuple[Path, ...] = ()
    only: tuple[str, ...] = ()
    in_process: bool = False
    token_file: Path | None = None
    tls_certificate: Path | None = None
    tls_key: Path | None = None
    tls_client_authority: Path | None = None
    reflection: bool = True
    resume: bool = True
    runs_at_once: int = Field(default=2, ge=1, le=64)


def _default_state() -> Path:
    base = os.environ.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
    return Path(base) / "genlevel"


class Settings(_Strict):
    """All settings.

    Attributes:
        state: folder of the journal and of unpacked bundles.
        database: SQLAlchemy URL of the journal; SQLite in ``state`` by default.
        database_file: file that holds this URL.
        database_start_seconds: how long ``genlevel serve`` waits for the database when it starts.
        database_retry_seconds: how long a run at work waits for a database that went away.
        state_store: fsspec URL where large states lie; a folder in ``state`` by default.
        media_store: fsspec URL of the folder where media are put for evaluators that are ``remote``; streamed to them without one.
        evaluators: by name.
    """

    state: Path = Field(default_factory=_default_state)
    database: str = Field(default="", repr=False)
    database_file: Path | None = None
    database_start_seconds: float = Field(default=60.0, ge=0)
    database_retry_seconds: float = Field(default=300.0, ge=0)
    state_store: str = ""
    media_store: str = ""
    evaluators: dict[str, Endpoint] = Field(default_factory=dict)
    dispatch: Dispatch = Dispatch()
    uploads: Uploads = Uploads()
    serve: Serve = Serve()

    @field_validator("state_store", "media_store")
    @classmethod
    def _plain_url(cls, value: str) -> str:
        place = value.partition("://")[2].partition("/")[0]
        if "::" in value or ":" in place.rpartition("@")[0]:
            # The value itself is not shown: it may hold a password.
            raise ValueError("write scheme://bucket/prefix or /folder; credentials belong into environment variables")
        return value

    @field_validator("evaluators", mode="before")
    @classmethod
    def _short_form(cls, value: Any) -> Any:
        if isinstance(value, Mapping):
            return {name: {"target": item} if isinstance(item, str) else item for name, item in value.items()}
        return value

    @property
    def database_url(self) -> str:
        """URL of the journal."""
        return self.database or f"sqlite:///{self.state / 'journal.sqlite'}"

    @property
    def store_url(self) -> str:
        """URL of the folder of large states."""
        return self.state_store or str(self.state / "states")


def load_settings(environment: Mapping[str, str] | None = None) -> Settings:
    """Settings of the file and the environment.

    Raises:
        UserError: the file or a variable cannot be read; names every wrong key.
    """
    env = os.environ if environment is None else environment
    values = _file(env)
    if env.get("GENLEVEL_STATE_DIR"):
        values["state"] = Path(env["GENLEVEL_STATE_DIR"]).expanduser().absolute()
    _database(values, env)
    if env.get("GENLEVEL_MEDIA_STORE"):
        values["media_store"] = env["GENLEVEL_MEDIA_STORE"]
    if env.get("GENLEVEL_EVALUATORS"):
        values["evaluators"] = parse_evaluators(env["GENLEVEL_EVALUATORS"])
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        lines = [f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors()]
        raise UserError(
            "settings cannot be used: " + "; ".join(lines), "See the head of genlevel_orchestrator/settings.py for the keys."
        ) from None


def _database(values: dict[str, Any], env: Mapping[str, str]) -> None:
    """Put the URL of the journal in: of a file or a variable, else of the settings file."""
    if env.get("GENLEVEL_DATABASE_FILE"):
        values["database_file"] = env["GENLEVEL_DATABASE_FILE"]
    elif env.get("GENLEVEL_DATABASE"):
        values["database"] = env["GENLEVEL_DATABASE"]
        values.pop("database_file", None)
    if not values.get("database_file"):
        return
    path = Path(str(values["database_file"])).expanduser()
    try:
        values["database"] = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        # Not the error's own words: those of a decoder quote the content.
        why = error.strerror if isinstance(error, OSError) else "not UTF-8"
        raise UserError(f"the database file {path} cannot be read ({why})", "Write the URL of the database into it as one line.") from None
    if not values["database"]:
        raise UserError(f"the database file {path} is empty", "Write the URL of the database into it as one line.")


def _file(env: Mapping[str, str]) -> dict[str, Any]:
    named = env.get("GENLEVEL_CONFIG")
    path = Path(named) if named else Path(env.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "genlevel" / "config.toml"
    if not path.is_file():
        if named:
            raise UserError(f"GENLEVEL_CONFIG={named}: no such file", "Correct the path, or unset the variable.")
        return {}
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise UserError(f"{path}: {error}", "Write TOML; docs/settings.md shows the keys.") from None


def parse_evaluators(text: str) -> dict[str, Any]:
    """The map of ``GENLEVEL_EVALUATORS``.

    >>> parse_evaluators("language=localhost:9000, image=localhost:9000")
    {'language': 'localhost:9000', 'image': 'localhost:9000'}

    Raises:
        UserError: neither JSON nor ``name=host:port`` pairs.
    """
    remedy = "Write name=host:port,... or a JSON object."
    if text.lstrip().startswith("{"):
        try:
            value: dict[str, Any] = json.loads(text)
        except ValueError as error:
            raise UserError(f"GENLEVEL_EVALUATORS: not JSON ({error})", remedy) from None
        return value
    pairs = [part.strip() for part in text.split(",") if part.strip()]
    if not all("=" in pair for pair in pairs):
        raise UserError(f"GENLEVEL_EVALUATORS: cannot read {text!r}", remedy)
    return {name.strip(): target.strip() for name, target in (pair.split("=", 1) for pair in pairs)}
