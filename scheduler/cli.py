"""The command `chungtay`: which commands there are, and the room each one lives in."""

import importlib

import click

# A command's room is loaded when it is used: `match` needs neither the web nor the database.
_ROOMS = {
    "demo": "running",
    "serve": "running",
    "worker": "running",
    "setup": "setup",
    "migrate": "keeping",
    "doctor": "keeping",
    "import": "files",
    "export": "files",
    "match": "engine",
    "plan": "plans",
    "lesson": "lessons",
    "cover": "covers",
    "basket": "baskets",
    "suggest": "baskets",
    "swap": "swaps",
    "pin": "pins",
    "absence": "disruptions",
    "closure": "disruptions",
    "storm": "disruptions",
    "user": "people",
    "sign-in-link": "people",
    "access-token": "people",
    "feed-link": "people",
    "record": "records",
    "certificate": "records",
    "fairness": "records",
    "pledge": "records",
    "outbox": "messages",
    "audit": "audits",
    "retention": "audits",
    "breach": "audits",
    "backup": "keeping",
    "restore": "keeping",
    "reseal": "keeping",
}


class Commands(click.Group):
    """The commands of the table above, in its order."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        return list(_ROOMS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        del ctx
        if name not in _ROOMS:
            return None
        room = importlib.import_module(f"scheduler.commands.{_ROOMS[name]}")
        found = {each.name: each for each in vars(room).values() if isinstance(each, click.Command)}
        return found[name]


@click.command(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(package_name="chungtay", prog_name="chungtay")
def main() -> None:
    """Chung Tay: live online lessons by volunteer teachers for classes far away.

    Try it with `chungtay demo`.  Settings are environment variables CHUNGTAY_… or a .env file;
    with none set, everything runs on one machine with an embedded database under var/.
    """
