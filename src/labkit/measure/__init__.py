"""Measure what each way of keeping state costs, and chart it."""
