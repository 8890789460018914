"""`lab serve`: all labs at once for a class, each in a process that ends with its parent."""
