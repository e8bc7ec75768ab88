"""The back-off of the sandbox's kubelet."""

from sandbox.kubelet import Backoff


def test_the_first_restart_is_at_once_and_the_others_wait_longer_each_time() -> None:
    backoff = Backoff()
    assert [backoff.after(3) for _ in range(8)] == [0, 10, 20, 40, 80, 160, 300, 300]


def test_who_ran_for_ten_minutes_is_restarted_at_once_again() -> None:
    backoff = Backoff()
    assert [backoff.after(3) for _ in range(3)] == [0, 10, 20]
    assert [backoff.after(600), backoff.after(3)] == [0, 10]
