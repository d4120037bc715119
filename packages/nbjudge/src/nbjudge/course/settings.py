"""What an instructor may set for nbjudge: ``c.Grading.xxx`` in nbgrader_config.py."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from traitlets import Bool, Dict, Enum, Float, Integer, List, Unicode
from traitlets.config import Configurable

from nbjudge.adapters import environment as adapters_environment
from nbjudge.sandbox import TIERS, Confinement, Limits, Tier, readable_paths


class Grading(Configurable):
    """How submissions are run, and what a released notebook may do."""

    teaching_order = List(
        Unicode(),
        help="The assignments in the order in which they are taught, for all lists and tables. "
        "Those that are not named come after them, by name.",
    ).tag(config=True)

    jobs = Integer(
        0,
        min=0,
        help="Submissions graded at once; 0: one more than there are cores, or as many as the "
        "cluster takes.",
    ).tag(config=True)

    cluster = Unicode(
        "",
        help="Where submissions are run, if not on this machine: the address of a Dask scheduler "
        "('tcp://10.0.0.1:8786'), or a class that makes a cluster ('distributed.LocalCluster', "
        "'dask_jobqueue.SLURMCluster').",
    ).tag(config=True)

    cluster_options = Dict(
        key_trait=Unicode(), help="The arguments of the class that c.Grading.cluster names."
    ).tag(config=True)

    cell_seconds = Integer(120, min=1, help="How long a cell may run, in seconds.").tag(config=True)

    cell_seconds_for = Dict(
        value_trait=Integer(min=1),
        key_trait=Unicode(),
        help="How long a cell of one assignment may run: {assignment: seconds}.",
    ).tag(config=True)

    interrupt_seconds = Float(
        15.0, min=1, help="How long an interrupted cell may take to stop, in seconds."
    ).tag(config=True)

    kernel_environment = Dict(
        value_trait=Unicode(),
        key_trait=Unicode(),
        help="Environment variables of the kernels that run students' notebooks.",
    ).tag(config=True)

    adapters = Dict(
        value_trait=Unicode(),
        key_trait=Unicode(),
        help="Modules that tell values of a library as plain ones, by the library's name: see "
        "nbjudge.adapters.",
    ).tag(config=True)

    expected_release_errors = List(
        Unicode(),
        ["NotImplementedError"],
        help="Exceptions that an unanswered task of a released notebook may raise.",
    ).tag(config=True)

    files_for_students = List(
        Unicode(),
        help="Patterns of files beside the source notebooks that students may have, though only a "
        "solution or a hidden test names them: ['*.csv'].",
    ).tag(config=True)

    max_notebook_megabytes = Integer(
        20, min=1, help="A submitted notebook larger than this is not graded."
    ).tag(config=True)

    max_output_megabytes = Integer(
        20, min=1, help="What a notebook shows beyond this, in all, is left out."
    ).tag(config=True)

    notebook_seconds = Integer(
        3600, min=1, help="How long a whole notebook may run, in seconds."
    ).tag(config=True)

    call_seconds = Integer(
        60,
        min=1,
        help="How long one call of a student's function by a test may run, in seconds; never "
        "longer than a cell.",
    ).tag(config=True)

    judge_seconds = Integer(
        300, min=1, help="How long one test cell may take by itself, in seconds."
    ).tag(config=True)

    isolation_floor: Enum[Tier] = Enum(
        TIERS,
        "full",
        help="The weakest isolation that notebooks may run in: 'full' (namespaces), 'filters' "
        "(Landlock and seccomp) or 'none', which trusts every student with this account.",
    ).tag(config=True)

    memory_megabytes = Integer(
        4000, min=100, help="How much memory a notebook may use on top of what all share."
    ).tag(config=True)

    processes = Integer(
        512, min=16, help="How many processes and threads a notebook may have at once."
    ).tag(config=True)

    disk_megabytes = Integer(1000, min=1, help="How much a notebook may write, in all.").tag(
        config=True
    )

    max_value_megabytes = Integer(
        100, min=1, help="The largest value of a notebook that a test can look at."
    ).tag(config=True)

    preload = List(
        Unicode(),
        help="Modules that are imported once for all kernels and judges. By default those that "
        "the source notebooks import. None may compute anything when it is imported.",
    ).tag(config=True)

    seed = Integer(
        0, min=0, help="The seed of Python, numpy and TensorFlow before the first cell."
    ).tag(config=True)

    luck_attempts = Integer(
        2,
        min=0,
        help="How often a notebook is run again, with other seeds, when a test that depends on "
        "the luck of training narrowly fails.",
    ).tag(config=True)

    reuse_executions = Bool(
        True, help="Whether a notebook that was run before, with all the same, is not run again."
    ).tag(config=True)

    store_megabytes = Integer(
        5000,
        min=0,
        help="How much disk the executions in gradebook/store/ may take, in all. Old and large "
        "ones are removed first; those notebooks are run again when they are graded again.",
    ).tag(config=True)

    stored_execution_megabytes = Integer(
        50,
        min=0,
        help="The largest execution of one notebook that is kept, compressed.",
    ).tag(config=True)

    tests_in_student_kernel = Dict(
        value_trait=List(Unicode()),
        key_trait=Unicode(),
        help="Test cells that run in the student's kernel, as in stock nbgrader: {assignment: "
        "[grade ids]}. That is weaker: a notebook can read such a test and change what it finds. "
        "'nbjudge check' tells which cells need it.",
    ).tag(config=True)

    hidden_tests_tell = Enum(
        ("kind", "expected"),
        "kind",
        help="What feedback tells of a hidden test that fails. 'kind': what kind of thing is "
        "wrong and the student's own value, and neither the expected value nor the arguments of "
        "the call. 'expected': these, too, for whoever hands in only once. A line '### TELL "
        "EXPECTED VALUES' in a test cell says so for that cell. Visible tests tell all.",
    ).tag(config=True)

    data = Unicode(
        "",
        help="'module:function' that finds the data of the notebooks: it is called with the "
        "course's folder and returns an nbjudge.course.data.GradingData.",
    ).tag(config=True)

    def confinement(
        self,
        files: Path | None,
        readable: tuple[Path, ...] = (),
        environment: Mapping[str, str] | None = None,
        tier: Tier | None = None,
        hidden: tuple[Path, ...] = (),
    ) -> Confinement:
        """The sandbox of a kernel whose working folder begins with a copy of ``files``."""
        return Confinement(
            tier=tier or self.isolation_floor,
            limits=self.limits(),
            files=files,
            readable=(*readable_paths(), *readable),
            hidden=hidden,
            environment={**self.all_environment, **(environment or {})},
        )

    @property
    def all_environment(self) -> dict[str, str]:
        """The environment variables of kernels and judges, without those of the data."""
        return {**self.kernel_environment, **adapters_environment(self.adapters)}

    def limits(self) -> Limits:
        """What a notebook may use in the sandbox."""
        return Limits(
            memory_megabytes=self.memory_megabytes,
            processes=self.processes,
            disk_megabytes=self.disk_megabytes,
            file_megabytes=self.disk_megabytes,
            wall_seconds=self.notebook_seconds,
            cpu_seconds=self.notebook_seconds * (os.cpu_count() or 1),
        )

    def seconds_for(self, assignment: str) -> int:
        """How long a cell of ``assignment`` may run, in seconds."""
        seconds: int = self.cell_seconds_for.get(assignment, self.cell_seconds)
        return seconds

    def worker_count(self) -> int:
        """How many submissions are graded at once on this machine."""
        # A notebook waits now and then, for TensorFlow's input pipeline above all.
        return self.jobs or (os.cpu_count() or 1) + 1
