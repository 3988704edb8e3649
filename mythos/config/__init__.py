"""Command line, environment, ``.env`` and ``mythos.yaml`` into one frozen configuration."""

from mythos.config.declare import Size
from mythos.config.gate import refusals
from mythos.config.listen import Listen
from mythos.config.load import ConfigError, Loaded, load
from mythos.config.model import Config, Environment, LogFormat, LogLevel
from mythos.config.show import options, shown, template
from mythos.config.types import ApiKey

__all__ = [
    "ApiKey",
    "Config",
    "ConfigError",
    "Environment",
    "Listen",
    "Loaded",
    "LogFormat",
    "LogLevel",
    "Size",
    "load",
    "options",
    "refusals",
    "shown",
    "template",
]
