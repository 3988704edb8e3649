"""``mythosctl gateway``: keys of the MUDs that come onto Intermud-3 by this server."""

from __future__ import annotations

import click

from mythos.ctl.remote import Remote, asking, yes_option

__all__ = ["gateway"]


@click.group()
def gateway() -> None:
    """The way onto Intermud-3 for other MUDs."""


@gateway.group()
def keys() -> None:
    """Keys of MUDs that may use the gateway."""


@keys.command("create")
@asking
@click.argument("mud")
@click.option("--permissions", default="*", help="Of: tell, channel, info, admin; * is all of them.")
@click.option("--rate", type=int, default=0, help="Requests a minute; as configured, if it is not given.")
@click.option("--allow", default="", metavar="NETWORKS", help="Where it may be used from; everywhere, if not given.")
@click.option("--deny", default="", metavar="NETWORKS", help="Where it may not.")
def create_key(remote: Remote, mud: str, permissions: str, rate: int, allow: str, deny: str) -> None:
    """Make a key for MUD, which is the name it has on the network. The key is shown once."""
    answer = remote.ask("gateway-keys-create", mud=mud, permissions=permissions, rate=rate, allow=allow, deny=deny)
    ports = ", ".join(f"{name} {port}" for name, port in answer["ports"].items())
    remote.show(answer, answer["key"], f"is {answer['key_id']}, for {mud}. It is shown only now. Ports: {ports}")


@keys.command("list")
@asking
def list_keys(remote: Remote) -> None:
    """List the keys that are good; none of them can be shown again."""
    answer = remote.ask("gateway-keys-list")
    lines = [
        f"{one['key_id']}: {one['mud']}, for {' '.join(one['permissions'])}, since {one['created']}"
        + (f", until {one['ends']}" if one["ends"] else "")
        + (f", {one['rate']} a minute" if one["rate"] else "")
        + (f", from {' '.join(one['allow'])}" if one["allow"] else "")
        + (f", not from {' '.join(one['deny'])}" if one["deny"] else "")
        + f", connections: {one['connections']}"
        for one in answer["keys"]
    ]
    remote.show(answer, *lines or ["There are no keys: mythosctl gateway keys create <MUD>"])


@keys.command("rotate")
@asking
@click.argument("id")
@click.option("--overlap", default=3600.0, metavar="SECONDS", help="How long the old one is still good; one hour.")
def rotate_key(remote: Remote, id: str, overlap: float) -> None:
    """Make a key in the place of key ID, which is good for a while yet."""
    answer = remote.ask("gateway-keys-rotate", id=id, overlap=overlap)
    remote.show(answer, answer["key"], f"is {answer['key_id']}, for {answer['mud']}. It is shown only now.")


@keys.command("revoke")
@asking
@click.argument("id")
@yes_option
def revoke_key(remote: Remote, id: str, yes: bool) -> None:
    """Make key ID worth nothing, now; its connections are closed."""
    remote.confirm(f"Make key {id} worth nothing, for good?", yes=yes)
    answer = remote.ask("gateway-keys-revoke", id=id)
    remote.show(answer, f"{answer['key_id']} is revoked.")
