"""Settings come from the environment and `.env`; what is wrong with one is said in a line that holds no secret."""

import os
from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from bot.app import SOURCES, DeploymentSettings
from bot.errors import UserError
from bot.settings import Settings

SECRET = "canary" * 8
BODY = "Y2FuYXJ5" * 24
KEY = "\n".join(["-----BEGIN RSA PRIVATE KEY-----", *[BODY[at : at + 64] for at in range(0, len(BODY), 64)]])
KEY += "\n-----END RSA PRIVATE KEY-----\n"
DOCUMENTED = {
    *("DATABASE_URL", "DATABASE_DIRECT_URL", "LEVERAGE_CONFIG", "LEVERAGE_SECRET_KEY", "LEVERAGE_BASE_URL"),
    *("SLACK_BOT_TOKEN", "SLACK_SIGNING_SECRET", "SLACK_APP_TOKEN", "SLACK_API_URL", "GITHUB_WEBHOOK_SECRET"),
    *("GITHUB_APP_ID", "GITHUB_APP_PRIVATE_KEY", "GITHUB_API_URL", "ANTHROPIC_ADMIN_KEY", "ANTHROPIC_API_URL"),
    *("OPENAI_ADMIN_KEY", "OPENAI_API_URL", "CODEX_ANALYTICS_KEY", "CODEX_WORKSPACE_ID", "CODEX_API_URL"),
    *("CURSOR_ADMIN_KEY", "CURSOR_API_URL", "GITHUB_BILLING_TOKEN", "GITHUB_BILLING_ORG"),
    *("LITELLM_MASTER_KEY", "LITELLM_API_URL", "OPENROUTER_PROVISIONING_KEY", "OPENROUTER_API_URL"),
    *("DEVIN_API_KEY", "DEVIN_API_URL"),
}


@pytest.fixture(autouse=True)
def _nothing_is_set(monkeypatch):
    for name in os.environ.keys() & DOCUMENTED:
        monkeypatch.delenv(name)


@pytest.fixture
def env_file(tmp_path):
    return tmp_path / ".env"


def read(env_file: Path, text: str) -> Settings:
    env_file.write_text(text)
    return DeploymentSettings(_env_file=env_file)


def complaint(env_file: Path, text: str) -> str:
    with pytest.raises(UserError) as caught:
        read(env_file, text)
    return str(caught.value)


def test_every_setting_has_a_promised_name_and_one_sentence():
    described = {name.upper(): field.description or "" for name, field in DeploymentSettings.model_fields.items()}
    assert described.keys() == DOCUMENTED
    for sentence in described.values():
        assert sentence.endswith(".")
        assert "\n" not in sentence


def test_nothing_needs_to_be_set():
    settings = DeploymentSettings(_env_file=None)
    assert settings.database() == "sqlite:///leverage.db"
    assert settings.leverage_config == Path("leverage.toml")
    assert settings.github_api_url == "https://api.github.com"
    assert not settings.has(["ANTHROPIC_ADMIN_KEY"])
    assert not settings.has(["ANTHROPIC_API_URL"])


def test_a_file_that_is_not_there_sets_nothing(env_file):
    assert DeploymentSettings(_env_file=env_file) == DeploymentSettings(_env_file=None)


def test_the_environment_wins_over_the_file(env_file, monkeypatch):
    monkeypatch.setenv("LEVERAGE_CONFIG", "/etc/leverage.toml")
    assert read(env_file, "LEVERAGE_CONFIG=mine.toml").leverage_config == Path("/etc/leverage.toml")


def test_empty_values_and_strangers_set_nothing(env_file):
    settings = read(env_file, "DATABASE_URL=\nANTHROPIC_ADMIN_KEY=\nANTHROPIC_API_URL=\nEDITOR=vi\n")
    assert settings == DeploymentSettings(_env_file=None)


def test_space_around_a_value_does_not_count(env_file):
    settings = read(env_file, f'LEVERAGE_SECRET_KEY="  {SECRET}\\n"\nANTHROPIC_ADMIN_KEY="   "')
    assert settings.secret_key() == SECRET.encode()
    assert not settings.has(["ANTHROPIC_ADMIN_KEY"])


def test_settings_cannot_be_changed():
    for name in DeploymentSettings.model_fields:
        with pytest.raises(ValidationError, match="frozen"):
            setattr(DeploymentSettings(_env_file=None), name, "other")


def test_a_file_that_is_not_text_is_refused(env_file):
    env_file.write_bytes(b"A=\xff\xfe")
    with pytest.raises(UserError, match="cannot be read"):
        DeploymentSettings(_env_file=env_file)


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg", "POSTGRES"])
def test_postgresql_is_reached_by_the_driver_that_is_installed(env_file, scheme):
    settings = read(env_file, f"DATABASE_URL={scheme}://ann:a%20b@db:5432/leverage?sslmode=require")
    assert settings.database() == "postgresql+psycopg://ann:a%20b@db:5432/leverage?sslmode=require"


def test_migrations_go_round_the_pooler_if_there_is_a_way(env_file):
    pooled = "DATABASE_URL=postgres://pooler/leverage\n"
    assert read(env_file, pooled).direct_database() == "postgresql+psycopg://pooler/leverage"
    direct = read(env_file, pooled + "DATABASE_DIRECT_URL=postgres://db/leverage\n")
    assert direct.direct_database() == "postgresql+psycopg://db/leverage"
    assert direct.database() == "postgresql+psycopg://pooler/leverage"


@pytest.mark.parametrize("name", ["DATABASE_URL", "DATABASE_DIRECT_URL"])
@pytest.mark.parametrize(
    "url", ["mysql://ann:canary@db/x", "postgresql+asyncpg://ann:canary@db/x", "canary", "://canary"]
)
def test_a_database_of_an_unknown_kind_is_refused_without_its_password(env_file, name, url):
    said = complaint(env_file, f"{name}={url}")
    assert said == (
        f"{name} is of a kind Leverage does not know: "
        "write sqlite:///leverage.db or postgresql://user:password@host/name."
    )


@pytest.mark.parametrize("name", ["DATABASE_URL", "DATABASE_DIRECT_URL"])
@pytest.mark.parametrize(
    "url",
    [
        *("sqlite://leverage.db", "sqlite://", "sqlite:///", "sqlite:///:memory:", "sqlite://user@host/canary"),
        "sqlite:///file:x?mode=memory&uri=true",
    ],
)
def test_a_sqlite_database_is_a_file(env_file, name, url):
    said = complaint(env_file, f"{name}={url}")
    assert said == f"{name} names no file: write sqlite:///leverage.db, with three slashes."


@pytest.mark.parametrize(
    "url", ["sqlite:///leverage.db", "sqlite:////var/x.db", "sqlite:///file:x.db?mode=ro&uri=true"]
)
def test_a_sqlite_file_may_be_anywhere(env_file, url):
    assert read(env_file, f"DATABASE_URL={url}").database() == url


@pytest.mark.parametrize("place", ["", "/", "ann:canary@db", "ann:canary@db:5432/", "ann:canary@db?sslmode=require"])
def test_a_postgresql_database_has_a_name(env_file, place):
    assert complaint(env_file, f"DATABASE_URL=postgresql://{place}") == (
        "DATABASE_URL names no database: write postgresql://user:password@host/name."
    )


@pytest.mark.parametrize("port", ["canary", "0", "65536", "99999999", "-1", "5432x"])
def test_a_port_that_is_none_is_told(env_file, port):
    assert complaint(env_file, f"DATABASE_URL=postgresql://ann:canary@db:{port}/x") == (
        "DATABASE_URL names a port that is none: write a number from 1 to 65535, or leave it out."
    )


@pytest.mark.parametrize("place", ["/x?host=/run", "db,db2:5433/x", "[::1]:5432/x", "?service=books", "ann:a:b@db:1/x"])
def test_other_ways_to_name_a_postgresql_database_are_left_alone(env_file, place):
    assert read(env_file, f"DATABASE_URL=postgresql://{place}").database() == f"postgresql+psycopg://{place}"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("# ours\n\nANTHROPIC_ADMIN_KEY canary\n", 3),
        ("A=1\nB='canary\nC=3\n", 2),
        ("\n\n\n = canary", 4),
        ('A=1\nB="canary" canary\n', 2),
    ],
)
def test_a_line_of_the_file_that_means_nothing_is_told_without_what_it_says(env_file, text, line):
    said = complaint(env_file, text)
    assert said == f"{env_file}:{line}: this line is no setting: write NAME=value, and close every quote."


def test_a_secret_key_that_is_missing_is_named_with_a_way_to_make_one():
    with pytest.raises(UserError) as caught:
        DeploymentSettings(_env_file=None).secret_key()
    assert str(caught.value) == (
        'LEVERAGE_SECRET_KEY is not set: make one with `python3 -c "import secrets; print(secrets.token_urlsafe(32))"` '
        "and put it in the environment or in .env."
    )


@pytest.mark.parametrize("secret", ["canary", "canary".ljust(31, "x"), "'canary" + " " * 40 + "'"])
def test_a_short_secret_key_is_refused(env_file, secret):
    assert complaint(env_file, f"LEVERAGE_SECRET_KEY={secret}") == (
        "LEVERAGE_SECRET_KEY is shorter than 32 characters: "
        'make one with `python3 -c "import secrets; print(secrets.token_urlsafe(32))"`.'
    )


def test_32_characters_make_a_secret_key(env_file):
    assert len(read(env_file, f"LEVERAGE_SECRET_KEY={'x' * 32}").secret_key()) == 32


def test_a_provider_gets_its_secrets_and_no_others(env_file):
    settings = read(env_file, f"ANTHROPIC_ADMIN_KEY=sk-ant-admin-1\nLEVERAGE_SECRET_KEY={SECRET}")
    assert settings.of_source(SOURCES["anthropic"].SETTINGS) == {"ANTHROPIC_ADMIN_KEY": "sk-ant-admin-1"}
    assert settings.has(["ANTHROPIC_ADMIN_KEY"])


def test_a_missing_provider_key_is_named_with_what_to_do():
    with pytest.raises(UserError) as caught:
        DeploymentSettings(_env_file=None).of_source(SOURCES["anthropic"].SETTINGS)
    assert str(caught.value) == (
        "ANTHROPIC_ADMIN_KEY is not set (an Admin API key of your Anthropic organization; it begins with "
        "sk-ant-admin): put it in the environment or in .env."
    )


@pytest.mark.parametrize(
    "url", ["https://proxy.example.com/anthropic/", "http://127.0.0.1:8080", "http://localhost", "http://[::1]:80"]
)
def test_an_address_is_https_or_on_this_machine(env_file, url):
    assert read(env_file, f"ANTHROPIC_API_URL={url}").required("ANTHROPIC_API_URL") == url.rstrip("/")


@pytest.mark.parametrize("name", ["GITHUB_API_URL", "SLACK_API_URL", "ANTHROPIC_API_URL"])
@pytest.mark.parametrize(
    "url",
    [
        *("http://example.com/canary", "ftp://canary", "canary", "https://", "https:///canary", "file:///etc/canary"),
        *("https://canary@example.com", "https://ann:canary@example.com", "https://example.com?key=canary"),
        *("https://example.com:canary", "https://[canary", "https://example.com\\t.canary"),
    ],
)
def test_an_address_that_could_give_a_key_away_is_refused_and_not_repeated(env_file, name, url):
    said = complaint(env_file, f'{name}="{url}"')
    assert said.startswith(f"{name} is no address Leverage may use: write https://host/path")
    assert "canary" not in said


@pytest.mark.parametrize("written", [KEY, KEY.replace("\n", "\\n"), KEY.replace("\n", "\r\n"), KEY.replace("\n", " ")])
def test_a_private_key_may_be_pem_text_with_any_line_ends(written):
    assert given_key(written).github_app() == ("12345", KEY)


def test_a_private_key_may_be_multi_line_in_the_file(env_file):
    assert read(env_file, f'GITHUB_APP_ID=12345\nGITHUB_APP_PRIVATE_KEY="{KEY}"').github_app() == ("12345", KEY)


def test_a_private_key_may_be_in_a_file(tmp_path):
    path = tmp_path / "app.pem"
    path.write_text(KEY.replace("RSA ", ""))
    assert given_key(str(path)).github_app() == ("12345", KEY.replace("RSA ", ""))


@pytest.mark.parametrize(
    "written",
    [
        KEY[:200],
        KEY.replace("Y", "!", 1),
        KEY.replace("RSA PRIVATE", "PUBLIC"),
        KEY.replace("RSA PRIVATE KEY", "CERTIFICATE"),
        "-----BEGIN RSA PRIVATE KEY----------END RSA PRIVATE KEY-----",
        "-----BEGIN RSA PRIVATE KEY-----\n-----END RSA PRIVATE KEY-----",
    ],
)
def test_what_is_no_private_key_is_refused_and_not_repeated(written):
    with pytest.raises(UserError) as caught:
        given_key(written)
    assert str(caught.value) == (
        "GITHUB_APP_PRIVATE_KEY is no private key in PEM form (-----BEGIN RSA PRIVATE KEY----- …): "
        "make a new one on the settings page of your GitHub App."
    )


@pytest.mark.parametrize("written", ["/nowhere/canary.pem", "/", "canary" * 1000, BODY, "canary\0"])
def test_a_private_key_that_cannot_be_read_is_refused_and_not_repeated(written):
    with pytest.raises(UserError) as caught:
        given_key(written)
    assert str(caught.value).startswith("GITHUB_APP_PRIVATE_KEY is neither PEM text nor the path of a file that can be")
    assert "canary" not in str(caught.value)


def test_a_github_app_needs_both_of_its_settings():
    with pytest.raises(UserError, match=r"GITHUB_APP_ID is not set \(the App ID or client ID"):
        DeploymentSettings(_env_file=None, github_app_private_key=SecretStr(KEY)).github_app()
    with pytest.raises(UserError, match="GITHUB_APP_PRIVATE_KEY is not set"):
        DeploymentSettings(_env_file=None, github_app_id="12345").github_app()


def test_no_secret_is_shown_by_accident(env_file):
    text = f"DATABASE_URL=postgres://ann:canary@db/x\nLEVERAGE_SECRET_KEY={SECRET}\nANTHROPIC_ADMIN_KEY=canary\n"
    settings = read(env_file, text)
    shown = f"{settings!r} {settings} {settings.model_dump()} {settings.model_dump_json()}"
    assert "canary" not in shown


def given_key(text: str) -> Settings:
    return DeploymentSettings(_env_file=None, github_app_id="12345", github_app_private_key=SecretStr(text))
