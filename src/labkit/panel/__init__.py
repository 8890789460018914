"""The exchange panel: what the browser sent, what the server did, keeps and answered.

It watches and never asks: what is loaded and saved is noted as it passes. A page is the same with
it and without, but for one line below it. The environment variable LAB_PANEL=0 turns it off.
"""
