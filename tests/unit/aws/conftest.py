"""Fixtures of the tests of `ibpe.aws`."""

import pytest

from tests.unit.aws.fake_cloud import Clock, FakeCloud


@pytest.fixture
def cloud() -> FakeCloud:
    return FakeCloud()


@pytest.fixture
def clock() -> Clock:
    return Clock()
