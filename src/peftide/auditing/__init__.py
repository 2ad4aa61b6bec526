"""A data set comes in; verdicts on its parts go out: reasons for inflated scores. No torch."""

from peftide.auditing.kinship import Kinship, find_kinship
from peftide.auditing.result import AuditResult, audit_training
from peftide.auditing.subject import Subject
from peftide.auditing.verdict import tally
from peftide.auditing.verdicts import SEVERITIES, Verdict, judge

__all__ = [
    "SEVERITIES",
    "AuditResult",
    "Kinship",
    "Subject",
    "Verdict",
    "audit_training",
    "find_kinship",
    "judge",
    "tally",
]
