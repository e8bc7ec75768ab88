"""Kill -9 of the real process right after each kind of write, with everything else that may happen at that time."""

import pytest

from tests.crash.killing import Ending, Killing
from tests.crash.lives import MATRIX, Kind, Variant
from tests.crash.verdict import wrong

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]


@pytest.fixture
def ending(request: pytest.FixtureRequest, kind: Kind, variant: Variant) -> Ending:
    killing: Killing = request.getfixturevalue("making" if kind.makes else "changing")
    return killing.endings[kind, variant]


@pytest.mark.parametrize(("kind", "variant"), MATRIX, ids=[f"{kind.name}-{variant}" for kind, variant in MATRIX])
def test_after_a_kill_the_end_is_as_without_it(kind: Kind, variant: Variant, ending: Ending) -> None:
    assert not ending.trouble, ending.trouble
    doubled = {role: ids for role, ids in ending.ever.items() if len(ids) > 1}
    assert not doubled, f"made twice: {doubled}; status: {ending.resource}"
    if kind.ends or variant.deleted:
        assert ending.resource is None
        assert not ending.held, f"orphans: {ending.held}"
    else:
        assert ending.resource is not None
        assert wrong(ending.resource["spec"], ending.held) == [], ending.resource["status"]
        assert set(ending.ever) == {"imagebuilder", "s3"}
    assert ending.removed
    assert not ending.left, f"left after the deletion: {ending.left}"


def test_what_was_invisible_stayed_so_beyond_the_restart(making: Killing, changing: Killing) -> None:
    assert min(making.hidden_looks, changing.hidden_looks) >= 4
