"""Tables as users take them: Arrow inside, pandas, polars or supervision on request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from filmroom.errors import InputError
from filmroom.tables import boxes_of

if TYPE_CHECKING:
    import pandas
    import polars
    import supervision


class TableView:
    """An Arrow table (`.arrow`) with ways out of it; any Arrow-aware library takes it as it is."""

    def __init__(self, table: pa.Table) -> None:
        self.arrow = table

    def __len__(self) -> int:
        return int(self.arrow.num_rows)

    def __repr__(self) -> str:
        return f"<{len(self)} rows of {', '.join(self.arrow.column_names)}>"

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """The Arrow PyCapsule interface."""
        return self.arrow.__arrow_c_stream__(requested_schema)

    def to_pandas(self) -> pandas.DataFrame:
        """A pandas frame; needs `pip install filmroom[pandas]`."""
        _needs("pandas")
        return self.arrow.to_pandas()

    def to_polars(self) -> polars.DataFrame:
        """A polars frame; needs `pip install filmroom[polars]`."""
        return _needs("polars").from_arrow(self.arrow)


class TrackView(TableView):
    """Tracks joined with players: one row per person and frame."""

    def to_supervision(self, frame: int) -> supervision.Detections:
        """Everybody in one frame as `supervision.Detections`; needs `filmroom[supervision]`.

        `tracker_id` is the track; role, team, number and name are in `data`.
        """
        module = _needs("supervision")
        rows = self.arrow.filter(pc.equal(self.arrow["frame"], frame))
        boxes = boxes_of(rows)
        corners = np.hstack([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]])
        roles = np.array(rows["role"].to_pylist(), dtype=object)
        return module.Detections(
            xyxy=corners,
            confidence=rows["score"].to_numpy(),
            class_id=np.where(roles == "ball", 1, 0),
            tracker_id=rows["track"].to_numpy(),
            data={
                name: np.array(rows[name].to_pylist(), dtype=object)
                for name in ("role", "team", "number", "name")
            },
        )


def _needs(package: str) -> Any:
    import importlib

    try:
        return importlib.import_module(package)
    except ImportError as error:
        raise InputError(
            f"{package} is not installed; install it with: pip install 'filmroom[{package}]'"
        ) from error
