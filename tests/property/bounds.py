"""How many examples a law is held against, the same ones in every run.

`IBPE_PROPERTY_EXAMPLES` asks for so many, other ones each time, and for the smallest that fails.
"""

import os

from hypothesis import HealthCheck, Phase, settings

ASKED = os.environ.get("IBPE_PROPERTY_EXAMPLES")
BOUNDED = settings(
    max_examples=int(ASKED or 20),
    deadline=None,
    derandomize=not ASKED,
    database=None,
    phases=tuple(Phase) if ASKED else (Phase.explicit, Phase.generate),  # to shrink takes minutes
    suppress_health_check=list(HealthCheck),
    print_blob=True,
)
