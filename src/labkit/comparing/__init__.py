"""`lab compare`: tables of questions with one answer for each variant, every one seen by a test."""

from labkit.comparing.table import Cell, Conclusion, Row, Table, Tables, Variant

__all__ = ["Cell", "Conclusion", "Row", "Table", "Tables", "Variant"]
