"""Run all labs at once for a class (`lab serve`), each in a process that ends with its parent."""
