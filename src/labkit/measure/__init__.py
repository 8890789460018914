"""Measure what each way of storing state costs, and draw charts."""
