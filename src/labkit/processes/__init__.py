"""Start child processes and end them; choose ports; run a lab's manage.py."""
