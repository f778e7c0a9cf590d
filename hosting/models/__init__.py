"""What is wanted (deployments and their versions), what was seen (runners, instances), and what was used."""

from __future__ import annotations

from hosting.models.deployments import Deployment, DeploymentMember
from hosting.models.elicitations import Elicitation
from hosting.models.questions import QuestionPolicy
from hosting.models.runners import DataFolder, Instance, Runner, RunnerPlacement
from hosting.models.tallies import CallHour, TaskHour
from hosting.models.tasks import StoredBody, Task, TaskLine, TaskResult
from hosting.models.tools import Tool
from hosting.models.usage import CallRecord, EgressRecord, OwnerShare, Quota, UsageDay
from hosting.models.versions import DeploymentVersion, Environment, SourceArchive

__all__ = [
    "CallHour",
    "CallRecord",
    "DataFolder",
    "Deployment",
    "DeploymentMember",
    "DeploymentVersion",
    "EgressRecord",
    "Elicitation",
    "Environment",
    "Instance",
    "OwnerShare",
    "QuestionPolicy",
    "Quota",
    "Runner",
    "RunnerPlacement",
    "SourceArchive",
    "StoredBody",
    "Task",
    "TaskHour",
    "TaskLine",
    "TaskResult",
    "Tool",
    "UsageDay",
]
