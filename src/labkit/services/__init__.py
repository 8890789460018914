"""Private MariaDB and Redis servers, what a lab keeps on them, and what must be installed."""
