"""The command line: `stratagem list | show | solve | run | bench | report`."""

from .main import main

__all__ = ["main"]
