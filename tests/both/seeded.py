"""Tests that fail, so that ``test_everywhere`` can see that a failure is seen. Not for pytest itself to collect."""


def test_that_passes():
    assert 1 + 1 == 2


def test_that_fails():
    assert 1 + 1 == 3, "a seeded failure"


def test_that_raises():
    raise RuntimeError("a seeded error")


async def test_that_never_ran():
    raise AssertionError("nobody awaits it")
