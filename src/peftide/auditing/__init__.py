"""A data set comes in; verdicts on its parts go out: reasons for inflated scores. No torch."""

from peftide.auditing.kinship import Kinship, Search, find_kinship
from peftide.auditing.result import AuditResult, audit_known, audit_training
from peftide.auditing.subject import Subject
from peftide.auditing.verdict import UNSEARCHED, conclusion
from peftide.auditing.verdicts import SEVERITIES, Verdict, judge

__all__ = [
    "SEVERITIES",
    "UNSEARCHED",
    "AuditResult",
    "Kinship",
    "Search",
    "Subject",
    "Verdict",
    "audit_known",
    "audit_training",
    "conclusion",
    "find_kinship",
    "judge",
]
