"""A run folder comes in; `report.html`, a page for people, goes out. No torch."""

from peftide.report.page import write_report_if_possible
from peftide.report.rewriting import write_report

__all__ = ["write_report", "write_report_if_possible"]
