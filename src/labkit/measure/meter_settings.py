"""The settings of the lab in this folder, with instruments around it: for servers to measure."""

from lab.settings import *  # noqa: F403
from lab.settings import MIDDLEWARE as _MIDDLEWARE

MIDDLEWARE = [
    "labkit.measure.meter_middleware.look",
    *_MIDDLEWARE,
    "labkit.measure.meter_middleware.delay",
]
