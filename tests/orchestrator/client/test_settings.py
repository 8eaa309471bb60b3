"""Settings come from a file and the environment, and every wrong key is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from genlevel_orchestrator.errors import UserError
from genlevel_orchestrator.settings import load_settings


def test_defaults(tmp_path: Path) -> None:
    settings = load_settings({"XDG_CONFIG_HOME": str(tmp_path), "GENLEVEL_STATE_DIR": str(tmp_path / "s")})
    assert settings.database_url == f"sqlite:///{tmp_path}/s/journal.sqlite"
    assert settings.dispatch.attempts == 4
    assert not settings.evaluators


def test_the_environment_goes_before_the_file(tmp_path: Path) -> None:
    config = tmp_path / "c.toml"
    config.write_text(
        'database = "sqlite:///x"\n[evaluators]\nimage = "a:1"\nvideo = { target = "b:2", remote = true }\n[dispatch]\nin_flight = 9\n'
    )
    settings = load_settings({"GENLEVEL_CONFIG": str(config)})
    assert (settings.evaluators["image"].target, settings.evaluators["video"].remote) == ("a:1", True)
    assert settings.dispatch.in_flight == 9
    settings = load_settings({"GENLEVEL_CONFIG": str(config), "GENLEVEL_EVALUATORS": "image=c:3", "GENLEVEL_DATABASE": "sqlite:///y"})
    assert {name: endpoint.target for name, endpoint in settings.evaluators.items()} == {"image": "c:3"}
    assert settings.database_url == "sqlite:///y"


def test_evaluators_as_json() -> None:
    settings = load_settings({"GENLEVEL_EVALUATORS": '{"audio": {"target": "[::1]:9000", "application": "a"}}', "GENLEVEL_STATE_DIR": "/x"})
    assert settings.evaluators["audio"].application == "a"


@pytest.mark.parametrize(
    ("content", "named"),
    [
        ('databse = "x"', "databse"),
        ("[dispatch]\nattempts = 0", "dispatch.attempts"),
        ('[evaluators]\nimage = "no port"', "evaluators.image.target"),
        ("not toml", "c.toml"),
    ],
)
def test_wrong_keys_are_named(tmp_path: Path, content: str, named: str) -> None:
    config = tmp_path / "c.toml"
    config.write_text(content)
    with pytest.raises(UserError) as caught:
        load_settings({"GENLEVEL_CONFIG": str(config)})
    assert named in caught.value.message


@pytest.mark.parametrize("text", ["language", "{broken", '{"a": 1}'])
def test_evaluators_that_cannot_be_read(text: str) -> None:
    with pytest.raises(UserError):
        load_settings({"GENLEVEL_EVALUATORS": text})


def test_a_file_that_is_named_must_exist() -> None:
    with pytest.raises(UserError, match="no such file"):
        load_settings({"GENLEVEL_CONFIG": "/nowhere/c.toml"})


def test_the_database_url_may_lie_in_a_file(tmp_path: Path) -> None:
    secret = tmp_path / "url"
    secret.write_text("postgresql+psycopg://u:s3cret@h/d\n")
    env = {"GENLEVEL_STATE_DIR": "/x", "XDG_CONFIG_HOME": str(tmp_path), "GENLEVEL_DATABASE_FILE": str(secret)}
    settings = load_settings({**env, "GENLEVEL_DATABASE": "sqlite:///y"})
    assert settings.database_url == "postgresql+psycopg://u:s3cret@h/d"
    assert "s3cret" not in repr(settings)
    for content in (b"", b"\xff s3cret"):
        secret.write_bytes(content)
        with pytest.raises(UserError, match="database file") as caught:
            load_settings(env)
        assert "s3cret" not in caught.value.message


@pytest.mark.parametrize("url", ["postgresql+psycopg://u:s3cret@h:port/d", "no url s3cret", "mysql://u:s3cret@h/d"])
def test_a_database_url_that_cannot_be_used_is_not_quoted(tmp_path: Path, url: str) -> None:
    from genlevel_orchestrator.runs.journal import Journal
    from genlevel_orchestrator.settings import Settings

    with pytest.raises(UserError) as caught:
        Journal(Settings(state=tmp_path, database=url))
    assert "s3cret" not in f"{caught.value.message} {caught.value.remedy}"
