"""What to train, on what and how: a YAML file as a frozen, checked `Config`.

Imports no NumPy, so that mistakes are told at once.
"""

from digitnet.config.definition import Config, schema
from digitnet.config.reader import locate, locate_data, read_config, to_config

__all__ = ["Config", "locate", "locate_data", "read_config", "schema", "to_config"]
