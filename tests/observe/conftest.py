"""What tests of looking share."""

import numpy as np
import pytest

from filmroom.observe.decode import KINDS, Detections

PERSON = KINDS.index("person")


@pytest.fixture(scope="session")
def found():
    """Makes the detections of one kind and score from their boxes."""

    def make(boxes, score=0.8, kind=PERSON):
        count = len(boxes)
        return Detections(
            np.asarray(boxes, np.float32).reshape(count, 4),
            np.full(count, score, np.float32),
            np.full(count, kind, np.int8),
            np.zeros((count, 3), np.float32),
            np.full(count, 0.5, np.float32),
        )

    return make
