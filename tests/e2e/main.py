"""Runs every test_*.py here, one line a test, and closes with the totals."""
import os
import signal
import sys
import time
import unittest

import yz


class Result(unittest.TextTestResult):
    began = time.monotonic()  # of what fails before a test, such as a class' own set-up

    def startTest(self, test):
        self.began = time.monotonic()
        unittest.TestResult.startTest(self, test)

    def line(self, test, word):
        self.stream.writeln("  %-72s %s  %.1f s" % (test.id()[:72], word, time.monotonic() - self.began))
        self.stream.flush()

    def addSuccess(self, test):
        unittest.TestResult.addSuccess(self, test)
        self.line(test, "ok")

    def addFailure(self, test, err):
        unittest.TestResult.addFailure(self, test, err)
        self.line(test, "FAILED")

    def addError(self, test, err):
        unittest.TestResult.addError(self, test, err)
        self.line(test, "ERROR")

    def addSkip(self, test, reason):
        unittest.TestResult.addSkip(self, test, reason)
        self.line(test, "skipped: " + reason)


def main():
    loader = unittest.TestLoader()
    names = sys.argv[1:]
    suite = loader.loadTestsFromNames(names) if names else loader.discover(os.path.dirname(__file__), "test_*.py")
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        result = unittest.TextTestRunner(stream=sys.stdout, resultclass=Result, verbosity=0).run(suite)
    finally:  # no server outlives the tests, also when they are interrupted
        stopped_badly = yz.stop_all()
    bad = len(result.failures) + len(result.errors) + stopped_badly
    print("e2e: %d passed, %d failed, %d skipped" % (result.testsRun - bad - len(result.skipped), bad,
                                                     len(result.skipped)))
    sys.exit(0 if bad == 0 and result.testsRun > 0 else 1)


main()
