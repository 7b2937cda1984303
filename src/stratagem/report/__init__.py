"""A benchmark's report: one HTML file that needs no network."""

from .page import stored_lines, write_report
from .summary import Line, lines
from .table import print_table

__all__ = ["Line", "lines", "print_table", "stored_lines", "write_report"]
