"""The exchange panel, which shows what the browser sent and what the server did with it.

It observes loads and saves as they happen, and never accesses a session itself. Pages change only
by the summary bar at the bottom. The environment variable LAB_PANEL=0 turns the panel off.
"""
