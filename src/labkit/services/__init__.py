"""Private MariaDB and Redis servers, the reset of a lab, and required programs."""
