"""A whole visit: all exchanges of one visitor that the panel's log still has, on one time axis."""
