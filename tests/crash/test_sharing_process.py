"""Kill -9 of the real process right after each kind of write to others' policies, with what may happen at that time."""

import pytest

from tests.crash.killing import Killing
from tests.crash.sharing_lives import CASES, Case, SharingLife, wrong

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_after_a_kill_statements_are_where_the_spec_wants_them_and_the_owners_are_as_they_were(
    case: Case, sharing: Killing
) -> None:
    (life,) = (life for life in sharing.lives if life.case == case)
    assert isinstance(life, SharingLife)
    ending = sharing.endings[case]
    assert not ending.trouble, ending.trouble
    assert (ending.resource is None) is life.ends
    status = ending.resource["status"] if ending.resource else "gone"
    assert wrong(life, ending.resource, ending.held) == [], status
    assert all(len(ids) == 1 for ids in ending.ever.values()), f"made twice: {ending.ever}"
    assert ending.removed
    assert wrong(life, None, ending.left) == []


def test_what_was_invisible_stayed_so_beyond_the_restart(sharing: Killing) -> None:
    assert sharing.hidden_looks >= 4
