"""The exchange panel, which shows what the browser sent and what the server did in response.

The panel observes loads and saves as they happen, and never accesses a session itself. It changes
pages only by adding the summary bar at the bottom. The environment variable LAB_PANEL=0 turns the
panel off.
"""
