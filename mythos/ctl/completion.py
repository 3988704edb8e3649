"""``mythosctl completion``: what a shell needs to complete its commands and options."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

__all__ = ["completion"]


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print the completion for a SHELL. Where it starts: eval "$(mythosctl completion bash)"."""
    made = get_completion_class(shell)
    assert made is not None
    click.echo(made(context.find_root().command, {}, "mythosctl", "_MYTHOSCTL_COMPLETE").source())
