import ctypes
import platform

import pytest

from ibpe.runtime.allocator import share_one_pool


def test_glibc_takes_one_pool_and_others_are_left_alone() -> None:
    assert share_one_pool() is (platform.libc_ver()[0] == "glibc")


def test_a_library_without_the_call_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda _name: object())
    assert share_one_pool() is False
