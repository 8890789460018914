"""The exchange panel: what the browser sent, and what the server did, stored and responded.

It observes loads and saves as they happen, and never accesses a session itself. It adds only the
summary bar below each page. The environment variable LAB_PANEL=0 turns it off.
"""
