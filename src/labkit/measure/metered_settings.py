"""The settings of the lab in the current folder, with the meter's middleware."""

from lab.settings import *  # noqa: F403
from lab.settings import MIDDLEWARE as _MIDDLEWARE

MIDDLEWARE = [
    "labkit.measure.meter_middleware.count_queries",
    *_MIDDLEWARE,
    "labkit.measure.meter_middleware.delay",
]
