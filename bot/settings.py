"""Settings: what a deployment is told by its environment, or by a `.env` file. Secrets are nowhere else."""

import base64
import binascii
import re
import textwrap
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from dotenv.parser import parse_stream
from pydantic import AfterValidator, Field, SecretStr, ValidationInfo, create_model, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from bot.domain.ports import Setting
from bot.errors import UserError

LEAST_SECRET = 32
MAKE_SECRET = """make one with `python3 -c "import secrets; print(secrets.token_urlsafe(32))"`"""
PSYCOPG = "postgresql+psycopg"
DATABASES = {"sqlite": "sqlite", "postgres": PSYCOPG, "postgresql": PSYCOPG, PSYCOPG: PSYCOPG}
LOOPBACK = ("127.0.0.1", "::1", "localhost")
PEM = re.compile(r"-----BEGIN ((?:RSA )?PRIVATE KEY)-----(.+)-----END \1-----", re.DOTALL)


class Settings(BaseSettings):
    """Every setting; the environment wins over `.env`, and an empty value is none. Raises UserError."""

    model_config = SettingsConfigDict(
        frozen=True, extra="ignore", env_ignore_empty=True, env_file_encoding="utf-8", hide_input_in_errors=True
    )

    database_url: SecretStr = Field(
        SecretStr("sqlite:///leverage.db"),
        description="Where Leverage keeps its data: a SQLite file or a PostgreSQL database.",
    )
    database_direct_url: SecretStr | None = Field(
        None, description="The same PostgreSQL database without its connection pooler, for migrations."
    )
    leverage_config: Path = Field(Path("leverage.toml"), description="The file that names the teams.")
    leverage_secret_key: SecretStr | None = Field(
        None,
        description=f"At least {LEAST_SECRET} random characters that key the hashes of people's account names; "
        "whoever loses them starts anew.",
    )
    leverage_base_url: str | None = Field(
        None,
        description="The address under which people's machines reach Leverage, like https://leverage.example.com.",
    )
    slack_bot_token: SecretStr | None = Field(
        None, description="The bot token of your Slack app; it begins with xoxb-."
    )
    slack_signing_secret: SecretStr | None = Field(
        None, description="The signing secret of your Slack app; requests that it did not sign are refused."
    )
    slack_app_token: SecretStr | None = Field(
        None,
        description="An app-level token with connections:write, to try Leverage out over Socket Mode; "
        "it begins with xapp-. Used when no signing secret is set.",
    )
    slack_api_url: str = Field("https://slack.com/api", description="The address of Slack's API.")
    github_webhook_secret: SecretStr | None = Field(
        None,
        description="The webhook secret of your GitHub App; while you change it, the new and the old one, "
        "separated by a comma.",
    )
    github_app_id: str | None = Field(None, description="The App ID or client ID of your GitHub App.")
    github_app_private_key: SecretStr | None = Field(
        None, description="The private key of your GitHub App: the PEM text itself, or the path of its file."
    )
    github_api_url: str = Field(
        "https://api.github.com",
        description="The address of GitHub's API; that of GitHub Enterprise Server ends in /api/v3.",
    )

    def __init__(self, _env_file: Path | None = Path(".env"), **values: Any) -> None:
        try:
            if _env_file and _env_file.is_file():
                _refuse_bad_lines(_env_file)
            super().__init__(_env_file=_env_file, **values)
        except (OSError, UnicodeDecodeError) as error:
            raise UserError(f"{_env_file} cannot be read: check its permissions, and that it is UTF-8 text.") from error

    @field_validator("*", mode="before")
    @classmethod
    def _without_outer_space(cls, value: Any) -> Any:
        return value.strip() if isinstance(value, str) else value

    @field_validator("database_url", "database_direct_url")
    @classmethod
    def _of_a_known_kind(cls, url: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        if url is None:
            return None
        scheme, colon, rest = url.get_secret_value().partition("://")
        if not colon or scheme.lower() not in DATABASES:
            raise UserError(
                f"{_name(info)} is of a kind Leverage does not know: "
                "write sqlite:///leverage.db or postgresql://user:password@host/name."
            )
        if mistake := (_sqlite_mistake if DATABASES[scheme.lower()] == "sqlite" else _postgres_mistake)(rest):
            raise UserError(f"{_name(info)} {mistake}.")
        return SecretStr(f"{DATABASES[scheme.lower()]}://{rest}")

    @field_validator("leverage_secret_key")
    @classmethod
    def _long_enough(cls, secret: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        if secret is not None and len(secret) < LEAST_SECRET:
            raise UserError(f"{_name(info)} is shorter than {LEAST_SECRET} characters: {MAKE_SECRET}.")
        return secret

    @field_validator("github_api_url", "slack_api_url", "leverage_base_url")
    @classmethod
    def _a_safe_address(cls, url: str | None, info: ValidationInfo) -> str | None:
        return url and _safe_address(url, info)

    @field_validator("github_app_private_key")
    @classmethod
    def _a_private_key(cls, key: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        return key and SecretStr(_pem(key.get_secret_value(), _name(info)))

    def has(self, names: Iterable[str]) -> bool:
        """Whether all of these variables are set."""
        return all(self._value(name) for name in names)

    def database(self) -> str:
        return self.database_url.get_secret_value()

    def direct_database(self) -> str:
        """The database as migrations reach it: not through a pooler, if the settings say how."""
        return (self.database_direct_url or self.database_url).get_secret_value()

    def secret_key(self) -> bytes:
        """The secret of the handles. Raises UserError if it is not set."""
        if self.leverage_secret_key is None:
            raise UserError(f"LEVERAGE_SECRET_KEY is not set: {MAKE_SECRET} and put it in the environment or in .env.")
        return self.leverage_secret_key.get_secret_value().encode()

    def github_app(self) -> tuple[str, str]:
        """App ID and private key. Raises UserError if one is not set."""
        return self.required("GITHUB_APP_ID"), self.required("GITHUB_APP_PRIVATE_KEY")

    def of_source(self, wanted: Iterable[Setting]) -> dict[str, str]:
        """A source's settings by variable, those that are set. Raises UserError for a required one that is not."""
        values = {one.name: self.required(one.name) if one.required else self._value(one.name) for one in wanted}
        return {name: value for name, value in values.items() if value}

    def required(self, name: str) -> str:
        """The value of a variable. Raises UserError naming it and what belongs there."""
        if value := self._value(name):
            return value
        purpose = type(self).model_fields[name.lower()].description or ""
        hint = f"{purpose[:1].lower()}{purpose[1:].rstrip('.')}"
        raise UserError(f"{name} is not set ({hint}): put it in the environment or in .env.")

    def _value(self, name: str) -> str:
        value = getattr(self, name.lower())
        return value.get_secret_value() if isinstance(value, SecretStr) else str(value or "")


def with_sources(wanted: Iterable[Setting]) -> type[Settings]:
    """The settings, and beside them those of the sources of spend that are no setting yet."""
    new = [one for one in wanted if one.name.lower() not in Settings.model_fields]
    fields: dict[str, Any] = {one.name.lower(): (_kind(one), Field(None, description=one.about)) for one in new}
    return create_model("Settings", __base__=Settings, **fields)


def _kind(setting: Setting) -> Any:
    if setting.is_url:
        return Annotated[str, AfterValidator(_safe_address)] | None
    return SecretStr | None if setting.secret else str | None


def _safe_address(url: str, info: ValidationInfo) -> str:
    if not _is_safe(url):
        raise UserError(
            f"{_name(info)} is no address Leverage may use: write https://host/path, without user, password or "
            "query; http:// is for this machine only."
        )
    return url.rstrip("/")


def _name(info: ValidationInfo) -> str:
    return (info.field_name or "").upper()


def _refuse_bad_lines(path: Path) -> None:
    """A line that means nothing is a setting that is silently missing. Raises UserError, without what the line says."""
    with path.open(encoding="utf-8") as stream:
        for binding in parse_stream(stream):
            if binding.error:
                text = binding.original.string
                line = binding.original.line + text[: len(text) - len(text.lstrip())].count("\n")
                raise UserError(f"{path}:{line}: this line is no setting: write NAME=value, and close every quote.")


def _sqlite_mistake(rest: str) -> str | None:
    """What is wrong with a SQLite address after its `://`: it names no file of its own."""
    file = rest.partition("?")[0].removeprefix("/")
    if file and rest.startswith("/") and ":memory:" not in rest and "mode=memory" not in rest:
        return None
    return "names no file: write sqlite:///leverage.db, with three slashes"


def _postgres_mistake(rest: str) -> str | None:
    place, _, query = rest.partition("?")
    hosts, _, name = place.rpartition("@")[2].partition("/")
    if not name and not re.search(r"(^|&)(dbname|service)=", query):
        return "names no database: write postgresql://user:password@host/name"
    ports = [port for _, colon, port in (host.rpartition("]")[2].partition(":") for host in hosts.split(",")) if colon]
    if not all(port.isascii() and port.isdigit() and 0 < int(port[:6]) < 65536 for port in ports):
        return "names a port that is none: write a number from 1 to 65535, or leave it out"
    return None


def _is_safe(url: str) -> bool:
    try:
        parts = urlsplit(url)
        known = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK)
        return bool(known and parts.hostname and parts.port != 0 and not set(url) & set("@?# \t\r\n"))
    except ValueError:
        return False


def _pem(text: str, name: str) -> str:
    """The key as OpenSSL writes it, from PEM text with any line ends or none, or from the file at that path."""
    found = PEM.search((text if "-----BEGIN" in text else _file(text, name)).replace("\\n", "\n"))
    try:
        body = base64.b64encode(base64.b64decode("".join(found[2].split()), validate=True)).decode() if found else ""
    except binascii.Error:
        body = ""
    if not found or not body:
        raise UserError(
            f"{name} is no private key in PEM form (-----BEGIN RSA PRIVATE KEY----- …): "
            "make a new one on the settings page of your GitHub App."
        )
    return "\n".join([f"-----BEGIN {found[1]}-----", *textwrap.wrap(body, 64), f"-----END {found[1]}-----", ""])


def _file(path: str, name: str) -> str:
    try:
        return Path(path).read_text("ascii")
    except (OSError, ValueError):
        raise UserError(
            f"{name} is neither PEM text nor the path of a file that can be read: "
            "check the path and the file's permissions."
        ) from None  # the cause quotes the path, which may be a key without its first line
