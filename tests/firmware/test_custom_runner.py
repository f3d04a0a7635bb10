"""How `pio test` reads the C++ unit tests: doctest programs, built with the system's doctest."""

import re
import subprocess
import tempfile
from pathlib import Path

import click
from platformio.test.exception import UnitTestError, UnitTestSuiteError
from platformio.test.result import TestCase, TestStatus
from platformio.test.runners.doctest import DoctestTestRunner

ADVICE = "Next step: apt-get install doctest-dev (elsewhere: put doctest/doctest.h where g++ finds it)."
DURATION = re.compile(r"^(\d+\.\d+) s: (.+)$")
SUMMARY = re.compile(r"^\[doctest\] test cases:\s+(\d+) \|\s+(\d+) passed \|\s+(\d+) failed")


class CustomTestRunner(DoctestTestRunner):
    """Lists every test case with its time, and counts a program that ran no test as failed.

    PlatformIO's own runner asks its registry for doctest and sees only what fails, unless doctest prints every
    assertion. Here doctest prints each case's duration, which stands after everything the case had to say.
    """

    EXTRA_LIB_DEPS = None

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self._cases_run = None
        self._output = ""
        self._failed = False

    def stage_building(self):
        """Say what to install before g++ says that it is missing."""
        with tempfile.TemporaryDirectory() as folder:
            source = Path(folder) / "probe.cpp"
            source.write_text("#include <doctest/doctest.h>\n")
            if subprocess.run(["g++", "-E", source], capture_output=True).returncode:
                raise UnitTestSuiteError(f"The unit tests need the header doctest/doctest.h. {ADVICE}")
        return super().stage_building()

    def stage_testing(self):
        """Run the program; no case run, or no summary at the end, is a failure."""
        if self.options.without_testing:
            return
        self.options.program_args = ["--duration=true", *(self.options.program_args or [])]
        try:
            super().stage_testing()
        except UnitTestError:
            # The cases that failed are listed already; without one of them the exit code is all that is known.
            if not any(case.status == TestStatus.FAILED for case in self.test_suite.cases):
                click.echo(self._output)
                raise
        if self._cases_run is None:
            raise UnitTestSuiteError("The test program ended before doctest's summary.")
        if self._cases_run == 0:
            raise UnitTestSuiteError("The test program ran no test case.")

    def on_testing_line_output(self, line):
        """Collect what a case prints until its duration ends it."""
        if self.options.verbose:
            click.echo(line, nl=False)
        summary = SUMMARY.match(line)
        if summary:
            self._cases_run = int(summary[2]) + int(summary[3])
            return
        ended = DURATION.match(line)
        if not ended:
            self._output += line
            self._failed |= ": ERROR:" in line or ": FATAL ERROR:" in line
            return
        case = TestCase(
            name=ended[2].strip(),
            status=TestStatus.FAILED if self._failed else TestStatus.PASSED,
            message=self._output.strip() if self._failed else None,
            stdout=self._output.strip(),
            duration=float(ended[1]),
        )
        self.test_suite.add_case(case)
        click.echo(case.humanize())
        self._output, self._failed = "", False
