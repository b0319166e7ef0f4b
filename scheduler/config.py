"""Settings: `CHUNGTAY_…` in the environment or a `.env` file; with none set all still runs."""

import re
from datetime import datetime
from email.headerregistry import Address
from email.utils import parseaddr
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import available_timezones

from pydantic import Field, SecretStr, ValidationInfo, field_validator
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from scheduler import secret_files

# Each may stand in a file of its own instead: CHUNGTAY_SECRET_KEY_FILE names it.
IN_FILES = (
    "secret_key",
    "former_secret_keys",
    "database_url",
    "database_direct_url",
    "smtp_url",
    "sms_secret",
    "zalo_secret",
)
_ENGINES = ("sqlite:///", "postgresql://", "postgres://", "postgresql+psycopg://")
_PLAIN, _DRIVER = re.compile(r"^postgres(ql)?://"), "postgresql+psycopg://"
_HOST = re.compile(r"(?!-)[a-z0-9-]{1,63}(\.[a-z0-9-]{1,63})*")
_PACKAGE = Path(__file__).parent


class Settings(BaseSettings):
    """Every setting, each with a default that runs on one machine without further work."""

    model_config = SettingsConfigDict(
        env_prefix="CHUNGTAY_",
        env_file=".env",
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,  # it may be a secret
    )

    var_dir: Path = Field(
        Path("var"), description="folder for the embedded database and mail files"
    )
    database_url: str = Field("", repr=False, description="empty: SQLite in var_dir")
    database_pool: int = Field(
        10, ge=3, le=200, description="most connections of a process to PostgreSQL"
    )
    database_pooler: bool = Field(
        False, description="database_url leads to a pooler in transaction mode (PgBouncer)"
    )
    database_direct_url: str = Field(
        "", repr=False, description="past the pooler: migrations, backups, changes of calendars"
    )
    base_url: str = Field("http://127.0.0.1:8000", description="address in mails and feeds")
    secret_key: SecretStr = Field(SecretStr(""), description="empty: made once, kept in var_dir")
    former_secret_keys: SecretStr = Field(
        SecretStr(""), description="keys before it, by commas: what they signed is still read"
    )
    smtp_url: SecretStr = Field(
        SecretStr(""), description="empty: mail is kept as files in var_dir"
    )
    mail_from: str = Field("Chung Tay <no-reply@chungtay.example>", description="sender of mails")
    sms_url: str = Field("", description="where an SMS gateway takes messages; empty: no SMS")
    sms_secret: SecretStr = Field(
        SecretStr(""),
        validate_default=True,
        description="signs what is posted to it and what it reports",
    )
    sms_plain: bool = Field(
        True, description="SMS without Vietnamese marks: 160 letters fit into one instead of 70"
    )
    zalo_url: str = Field("", description="where a Zalo gateway takes messages; empty: no Zalo")
    zalo_secret: SecretStr = Field(
        SecretStr(""),
        validate_default=True,
        description="signs what is posted to it and what it reports",
    )
    meeting_url: str = Field(
        "https://meet.jit.si/chungtay-{room}", description="address of a room; {room} is filled in"
    )
    timezone: str = Field("Asia/Ho_Chi_Minh", description="zone of programmes that name none")
    country: str = Field(
        "VN", description="whose public holidays are proposed for terms: two letters, as in VN"
    )
    locale: str = Field("vi", description="language of readers who chose none: vi or en")
    internal_hosts: str = Field(
        "",
        description="hosts of this house, by name and with commas between, at which teachers'"
        " calendars may be read though their addresses are not public",
    )
    uid_domain: str = Field("chungtay.example", description="domain in event UIDs and Message-IDs")
    feed_gzip: bool = Field(
        True, description="gzip calendar feeds for clients that ask; off for those that mislead"
    )
    clock: datetime | None = Field(None, description="start the programme's clock here (drills)")
    clock_speed: float = Field(
        1.0, gt=0, le=1000, description="how many times as fast that clock runs (drills)"
    )
    clock_since: datetime | None = Field(
        None,
        description="when, by the machine's clock, it showed that; empty: when the process began",
    )
    second_factor: bool = Field(
        True, description="coordinators and administrators sign in with a second factor"
    )
    trusted_proxies: str = Field(
        "", description="addresses or networks of our proxies, by commas: their word on who asks"
    )
    metrics_readers: str = Field(
        "",
        description="addresses or networks, by commas, that may read /metrics beside this machine",
    )
    log_format: str = Field(
        "", description="json or plain; empty: plain on a terminal, JSON anywhere else"
    )
    demo: bool = Field(False, description="say on each page what day the demo plays")
    tick_seconds: float = Field(
        2.0, gt=0, le=3600, description="seconds between two beats of the loop"
    )
    mail_connections: int = Field(
        4, ge=1, le=64, description="mails that a process hands over side by side"
    )
    mail_rate: float = Field(0.0, ge=0, description="mails a second, all processes; 0: no limit")
    push_rate: float = Field(0.0, ge=0, description="push messages a second; 0: no limit")
    sms_rate: float = Field(0.0, ge=0, description="text messages a second; 0: no limit")
    zalo_rate: float = Field(0.0, ge=0, description="Zalo messages a second; 0: no limit")
    matching_executor: str = Field(
        "threads", description="where a run searches: threads, processes or dask://host:port"
    )
    matching_workers: int | None = Field(
        None,
        ge=1,
        le=1024,
        description="searches side by side in a run, its bound beside; else 1, or all of a cluster",
    )
    loop: bool = Field(True, description="run the reminder loop inside the web process")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """What is given, then the environment, then `.env`: each with the files that it names."""
        del settings_cls, file_secret_settings
        named = (env_settings, dotenv_settings)
        return init_settings, *(
            secret_files.Named(source, IN_FILES)
            for source in named
            if isinstance(source, EnvSettingsSource)
        )

    @field_validator(*IN_FILES, mode="before")
    @classmethod
    def _from_file(cls, value: object, info: ValidationInfo) -> object:
        if not isinstance(value, secret_files.Filed):
            return value
        if value.twice:
            name = f"CHUNGTAY_{str(info.field_name).upper()}"
            raise ValueError(f"it is set twice: leave either {name} or {name}_FILE")
        return secret_files.read(value.path)

    @field_validator("database_url", "database_direct_url")
    @classmethod
    def _known_engine(cls, value: str) -> str:
        if value and not value.startswith(_ENGINES):
            raise ValueError("write postgresql://user:password@host/name, or leave it empty")
        return value

    @field_validator("base_url")
    @classmethod
    def _plain_address(cls, value: str) -> str:
        address = value.rstrip("/")  # sign-in links and feeds put a slash of their own after it
        if not address or _read_url(address, "http", "https") != address:
            raise ValueError("write the address without a path: https://chungtay.example")
        return address

    @field_validator("smtp_url")
    @classmethod
    def _relay(cls, value: SecretStr) -> SecretStr:
        if value.get_secret_value() and not _read_url(value.get_secret_value(), "smtp", "smtps"):
            raise ValueError("write the relay as smtp://host:port or smtps://host:port")
        if urlsplit(value.get_secret_value()).query not in ("", "tls=required"):
            raise ValueError("after the address of a relay there may be ?tls=required only")
        return value

    @field_validator("sms_url", "zalo_url")
    @classmethod
    def _gateway(cls, value: str) -> str:
        if value and not _is_gateway(value):
            raise ValueError(
                "write the gateway as https://host/path; http is for hosts of this house only"
            )
        return value

    @field_validator("sms_secret", "zalo_secret")
    @classmethod
    def _long_enough(cls, value: SecretStr, info: ValidationInfo) -> SecretStr:
        url = info.data.get(f"{str(info.field_name).removesuffix('_secret')}_url")
        least = secret_files.LEAST_BYTES
        if url and len(value.get_secret_value().encode()) < least:
            raise ValueError(f"a gateway and its reports need a secret of {least} bytes")
        return value

    @field_validator("mail_from")
    @classmethod
    def _sender(cls, value: str) -> str:
        try:
            complete = bool(Address(addr_spec=parseaddr(value)[1]).domain)
        except (ValueError, IndexError):  # what the standard library raises for what is no address
            complete = False
        if not complete:
            raise ValueError("write the sender as Chung Tay <no-reply@chungtay.example>")
        return value

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        if value not in available_timezones():
            raise ValueError(
                f"{value!r} is not a known time zone; write for example Asia/Ho_Chi_Minh"
            )
        return value

    @field_validator("locale")
    @classmethod
    def _known_language(cls, value: str) -> str:
        if value not in ("vi", "en"):
            raise ValueError("the language is vi or en")
        return value

    @field_validator("internal_hosts")
    @classmethod
    def _names_of_hosts(cls, value: str) -> str:
        if not all(_HOST.fullmatch(name) for name in _listed(value.lower())):
            raise ValueError("write names of hosts, with commas between: calendar.school.internal")
        return value

    @field_validator("clock", "clock_since")
    @classmethod
    def _aware_clock(cls, value: datetime | None) -> datetime | None:
        if value is not None and value.tzinfo is None:
            raise ValueError("write the clock with its zone, for example 2023-10-02T06:30:00+07:00")
        return value

    @field_validator("clock_speed", "clock_since")
    @classmethod
    def _of_a_drill(cls, value: float | datetime, info: ValidationInfo) -> float | datetime:
        if value not in (1.0, None) and info.data.get("clock") is None:
            raise ValueError("it is for drills: set CHUNGTAY_CLOCK, too")
        return value

    @field_validator("secret_key", "former_secret_keys")
    @classmethod
    def _strong_secret(cls, value: SecretStr, info: ValidationInfo) -> SecretStr:
        given = value.get_secret_value()
        keys = _listed(given) if info.field_name == "former_secret_keys" else (given,)
        fault = next((fault for key in keys if key and (fault := secret_files.fault(key))), "")
        if fault:
            raise ValueError(fault)
        return value

    @field_validator("trusted_proxies", "metrics_readers")
    @classmethod
    def _networks(cls, value: str) -> str:
        for each in _listed(value):
            try:
                ip_network(each)
            except ValueError:
                raise ValueError(
                    f"{each!r} is no address; write addresses or networks: 127.0.0.1, 10.0.0.0/8"
                ) from None
        return value

    @field_validator("log_format")
    @classmethod
    def _known_format(cls, value: str) -> str:
        if value not in ("", "json", "plain"):
            raise ValueError("the log is json or plain")
        return value

    @property
    def database(self) -> str:
        """The database URL in force, its driver written out."""
        if not self.database_url:
            return f"sqlite:///{(self.var_dir / 'chungtay.db').absolute()}"
        return _PLAIN.sub(_DRIVER, self.database_url)

    @property
    def direct_database(self) -> str:
        """The one past the pooler, likewise; empty where none is set."""
        return _PLAIN.sub(_DRIVER, self.database_direct_url)

    @property
    def inside(self) -> frozenset[str]:
        """The internal hosts, in small letters."""
        return frozenset(_listed(self.internal_hosts.lower()))

    @property
    def proxies(self) -> tuple[IPv4Network | IPv6Network, ...]:
        """Whose word on the address of a client counts."""
        return tuple(map(ip_network, _listed(self.trusted_proxies)))

    @property
    def readers(self) -> tuple[IPv4Network | IPv6Network, ...]:
        """Who may read the figures from another machine."""
        return tuple(map(ip_network, _listed(self.metrics_readers)))

    @property
    def mail_dir(self) -> Path:
        """Where mail is kept while no relay is set."""
        return self.var_dir / "mail"

    @property
    def journal_dir(self) -> Path:
        """Where every message that was sent is noted, outside the database."""
        return self.var_dir / "sent"

    @property
    def backup_dir(self) -> Path:
        """The installation's own shelf of backups."""
        return self.var_dir / "backups"

    @property
    def secure(self) -> bool:
        """True when people reach us over https: cookies are then bound to it."""
        return self.base_url.startswith("https://")


def _read_url(value: str, *schemes: str) -> str:
    """Scheme, host and port of an address; empty when it has another scheme or no host."""
    try:
        parts = urlsplit(value)
        parts.port  # noqa: B018 - raises for what is no number
    except ValueError:
        return ""
    return f"{parts.scheme}://{parts.netloc}" if parts.scheme in schemes and parts.hostname else ""


def _is_gateway(value: str) -> bool:
    """https anywhere; http where the host may be of this house, which each sending checks again."""
    try:
        parts = urlsplit(value)
        parts.port  # noqa: B018 - raises for what is no number
    except ValueError:
        return False
    host = parts.hostname or ""
    if not host or not value.isprintable() or "@" in parts.netloc or parts.fragment:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and _is_at_home(host))


def _is_at_home(host: str) -> bool:
    try:
        return ip_address(host).is_private
    except ValueError:
        return "." not in host


def load(**overrides: object) -> Settings:
    """Settings of this process; raises pydantic's ValidationError with one sentence a fault."""
    return Settings(**overrides)  # type: ignore[arg-type]


def secret_key(settings: Settings) -> bytes:
    """The key that signs: the one given, or one made once and kept with mode 0600.

    Raises secret_files.BadSecretFile for a kept one that others may read, or that is too weak.
    """
    if given := settings.secret_key.get_secret_value():
        return given.encode()
    return secret_files.kept(settings.var_dir / "secret.key")


def former_keys(settings: Settings) -> tuple[bytes, ...]:
    """The keys that were in force before, the newest first."""
    return tuple(key.encode() for key in _listed(settings.former_secret_keys.get_secret_value()))


def _listed(value: str) -> tuple[str, ...]:
    """The parts of a list that is written with commas or line by line."""
    parts = (part.strip() for part in value.replace("\n", ",").split(","))
    return tuple(part for part in parts if part)


def data_dir(name: str) -> Path:
    """A shipped folder: beside the package in a checkout, inside it in a wheel."""
    inside = _PACKAGE / "_data" / name
    return inside if inside.is_dir() else _PACKAGE.parent / name
